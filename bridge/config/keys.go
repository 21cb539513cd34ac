package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pushbridge/pushbridge/bridge/choice"
)

// A problem is what is wrong with a value ("a text") and what to write
// instead.
type problem struct{ wrong, remedy string }

// A taker checks a value and writes it into the file. Values from the
// environment and from secrets' files are always strings.
type taker func(*File, any) *problem

// keys are all keys outside of [backend.NAME], by dotted path.
var keys = withSettings(map[string]taker{
	"listen":              text(func(f *File) *string { return &f.Listen }, listenAddress),
	"http":                text(func(f *File) *string { return &f.HTTP }, hostPort),
	"admin":               text(func(f *File) *string { return &f.Admin }, adminAddress),
	"notify":              text(func(f *File) *string { return &f.Notify }, notifyAddress),
	"webdav_push":         text(func(f *File) *string { return &f.WebDAVPush }, publicURL),
	"metrics":             text(func(f *File) *string { return &f.Metrics }, metricsAddress),
	"time_zone":           text(func(f *File) *string { return &f.TimeZone }, timeZone),
	"state":               text(func(f *File) *string { return &f.State }, statePlace),
	"plugins_dir":         text(func(f *File) *string { return &f.PluginsDir }, anything),
	"profiles":            text(func(f *File) *string { return &f.Profiles }, anything),
	"poll_min":            duration(func(f *File) *time.Duration { return &f.PollMin }, LeastPoll, maxPoll),
	"poll_max":            duration(func(f *File) *time.Duration { return &f.PollMax }, LeastPoll, maxPoll),
	"poll_share":          number(func(f *File) *int { return &f.PollShare }, 1, 100),
	"heartbeat_min":       duration(func(f *File) *time.Duration { return &f.Heartbeat.Min }, LeastHeartbeat, MostHeartbeat),
	"heartbeat_default":   duration(func(f *File) *time.Duration { return &f.Heartbeat.Default }, LeastHeartbeat, MostHeartbeat),
	"heartbeat_max":       duration(func(f *File) *time.Duration { return &f.Heartbeat.Max }, LeastHeartbeat, MostHeartbeat),
	"heartbeat_increment": duration(func(f *File) *time.Duration { return &f.Heartbeat.Increment }, time.Second, MostHeartbeat),
	"heartbeat_learn":     boolean(func(f *File) *bool { return &f.Heartbeat.Learn }),
	"log.level":           text(func(f *File) *string { return &f.Log.Level }, oneOf("debug", "info", "warn", "error")),
	"log.format":          text(func(f *File) *string { return &f.Log.Format }, oneOf("text", "json")),
	"login.rule":          text(func(f *File) *string { return &f.Login.Rule }, loginRule),
	"login.domains":       list(func(f *File) *[]string { return &f.Login.Domains }),
	"login.domain":        text(func(f *File) *string { return &f.Login.Domain }, domainName),
	"login.lower":         boolean(func(f *File) *bool { return &f.Login.Lower }),
	"login.address":       text(func(f *File) *string { return &f.Login.Address }, addressTemplate),
	"login.verify":        backendNames(func(f *File) *[]string { return &f.Login.Verify }),
	"policy.require":      boolean(func(f *File) *bool { return &f.Policy.Require }),

	"web.url":                text(func(f *File) *string { return &f.Web.URL }, webURL),
	"web.oidc.issuer":        text(func(f *File) *string { return &f.Web.OIDC.Issuer }, issuerURL),
	"web.oidc.client_id":     text(func(f *File) *string { return &f.Web.OIDC.ClientID }, anything),
	"web.oidc.client_secret": text(func(f *File) *string { return &f.Web.OIDC.Secret }, anything),
	"web.oidc.name_claim":    text(func(f *File) *string { return &f.Web.OIDC.Name }, anything),
	"web.oidc.groups_claim":  text(func(f *File) *string { return &f.Web.OIDC.Groups }, anything),
	"web.oidc.scopes":        texts(func(f *File) *[]string { return &f.Web.OIDC.Scopes }, `["profile", "groups"]`, func(string) *problem { return nil }),
	"web.oidc.roles":         texts(func(f *File) *[]string { return &f.Web.OIDC.Roles }, groupRolesExample, groupRoles),

	"web.owners":          boolean(func(f *File) *bool { return &f.Web.Owners }),
	"web.session_idle":    duration(func(f *File) *time.Duration { return &f.Web.Idle }, LeastSession, MostSession),
	"web.session_longest": duration(func(f *File) *time.Duration { return &f.Web.Longest }, LeastSession, MostSession),

	"mail.smtp":           text(func(f *File) *string { return &f.Mail.SMTP }, mailServer),
	"mail.user":           text(func(f *File) *string { return &f.Mail.User }, anything),
	"mail.password":       text(func(f *File) *string { return &f.Mail.Password }, anything),
	"mail.ca_file":        text(func(f *File) *string { return &f.Mail.CAFile }, anything),
	"mail.from":           text(func(f *File) *string { return &f.Mail.From }, mailAddress),
	"mail.administrators": addresses(func(f *File) *[]string { return &f.Mail.Administrators }),

	"policy.refuse_partial":        boolean(func(f *File) *bool { return &f.Policy.RefusePartial }),
	"policy.refuse_external":       boolean(func(f *File) *bool { return &f.Policy.RefuseExternal }),
	"policy.allow_unprovisionable": boolean(func(f *File) *bool { return &f.Policy.AllowUnprovisionable }),
	"policy.never_full_wipe":       boolean(func(f *File) *bool { return &f.Policy.NeverFullWipe }),
	"policy.recovery_keys":         text(func(f *File) *string { return &f.Policy.RecoveryKeys }, anything),
	"policy.wipe_two_persons":      boolean(func(f *File) *bool { return &f.Policy.WipeTwoPersons }),
	"policy.wipe_expires":          duration(func(f *File) *time.Duration { return &f.Policy.WipeExpires }, LeastExpiry, MostExpiry),
	"policy.owners_wipe":           boolean(func(f *File) *bool { return &f.Policy.OwnersWipe }),
	"forget_after":                 duration(func(f *File) *time.Duration { return &f.ForgetAfter }, LeastExpiry, MostExpiry),

	"brake.share":      number(func(f *File) *int { return &f.Brake.Share }, 1, 100),
	"brake.count":      number(func(f *File) *int { return &f.Brake.Count }, 1, maxBrakeCount),
	"brake.pause":      duration(func(f *File) *time.Duration { return &f.Brake.Pause }, LeastBrake, MostBrake),
	"throttle.user":    number(func(f *File) *int { return &f.Throttle.User }, 0, mostThrottle),
	"throttle.device":  number(func(f *File) *int { return &f.Throttle.Device }, 0, mostThrottle),
	"throttle.address": number(func(f *File) *int { return &f.Throttle.Address }, 0, mostThrottle),
	"throttle.window":  duration(func(f *File) *time.Duration { return &f.Throttle.Window }, LeastThrottle, MostThrottle),
	"autodiscover.url": text(func(f *File) *string { return &f.AutodiscoverURL }, phoneURL),

	"directory.backend":    text(func(f *File) *string { return &f.Directory.Backend }, anything),
	"directory.collection": text(func(f *File) *string { return &f.Directory.Collection }, pathPattern),
	"directory.user":       text(func(f *File) *string { return &f.Directory.User }, anything),
	"directory.password":   text(func(f *File) *string { return &f.Directory.Password }, anything),
	"folders.show":         rules(func(f *File) *[]string { return &f.Folders.Show }),
	"folders.hide":         rules(func(f *File) *[]string { return &f.Folders.Hide }),
	"folders.main":         rules(func(f *File) *[]string { return &f.Folders.Main }),
	"certificates.ca_file": text(func(f *File) *string { return &f.CertificatesCA }, anything),
})

// maxPoll bounds the time between two questions: a change that is noticed a
// day late is not noticed.
const maxPoll = 24 * time.Hour

// maxBrakeCount is more than any folder has.
const maxBrakeCount = 1_000_000_000

// mostThrottle is as good as no bound.
const mostThrottle = 1_000_000

// isTable tells whether keys live below a path.
func isTable(path string) bool {
	if path == "backend" || path == "hook" || path == "redirect" {
		return true
	}
	for k := range keys {
		if strings.HasPrefix(k, path+".") {
			return true
		}
	}
	return false
}

// siblings are the keys of the table that a path is in.
func siblings(path string) []string {
	prefix := path[:strings.LastIndexByte(path, '.')+1]
	known := make(map[string]bool)
	for k := range keys {
		if rest, ok := strings.CutPrefix(k, prefix); ok {
			first, _, _ := strings.Cut(rest, ".")
			known[first] = true
		}
	}
	if prefix == "" {
		known["backend"], known["hook"], known["redirect"] = true, true, true
	}
	if len(known) == 0 {
		return siblings("")
	}
	return slices.Sorted(maps.Keys(known))
}

func text(to func(*File) *string, check func(string) *problem) taker {
	return func(f *File, v any) *problem {
		s, ok := v.(string)
		if !ok {
			return &problem{describe(v) + " instead of a text", "write it in quotes"}
		}
		if p := check(s); p != nil {
			return p
		}
		*to(f) = s
		return nil
	}
}

func boolean(to func(*File) *bool) taker {
	return func(f *File, v any) *problem {
		switch v {
		case true, "true":
			*to(f) = true
		case false, "false":
			*to(f) = false
		default:
			return &problem{describe(v), "write true or false"}
		}
		return nil
	}
}

// number takes a whole number.
func number(to func(*File) *int, least, most int) taker {
	return func(f *File, v any) *problem {
		remedy := fmt.Sprintf("write a whole number from %d to %d", least, most)
		n := int64(0)
		switch v := v.(type) {
		case int64:
			n = v
		case string:
			var err error
			if n, err = strconv.ParseInt(v, 10, 64); err != nil {
				return &problem{fmt.Sprintf("%.40q", v), remedy}
			}
		default:
			return &problem{describe(v), remedy}
		}
		if n < int64(least) || n > int64(most) {
			return &problem{strconv.FormatInt(n, 10), remedy}
		}
		*to(f) = int(n)
		return nil
	}
}

// duration takes seconds as a number or a text such as "15s" or "5m".
func duration(to func(*File) *time.Duration, least, most time.Duration) taker {
	return func(f *File, v any) *problem {
		var d time.Duration
		switch v := v.(type) {
		case int64:
			if v < 0 || v > int64(most/time.Second) {
				return outside(strconv.FormatInt(v, 10), least, most)
			}
			d = time.Duration(v) * time.Second
		case string:
			n, err := strconv.Atoi(v)
			if err == nil && n >= 0 && n <= int(most/time.Second) {
				d = time.Duration(n) * time.Second
			} else if d, err = time.ParseDuration(v); err != nil {
				return &problem{fmt.Sprintf("%.40q", v), `write seconds, or a text such as "90s" or "5m"`}
			}
		default:
			return &problem{describe(v), `write seconds, or a text such as "90s" or "5m"`}
		}
		if d < least || d > most {
			return outside(d.String(), least, most)
		}
		*to(f) = d
		return nil
	}
}

func outside(is string, least, most time.Duration) *problem {
	return &problem{is, fmt.Sprintf("write something from %d to %d seconds", int(least.Seconds()), int(most.Seconds()))}
}

// list takes a list of domains.
func list(to func(*File) *[]string) taker {
	return texts(to, `["example.org", "example.net"]`, func(s string) *problem {
		if p := domainName(s); p != nil || s == "" {
			return &problem{fmt.Sprintf("a list with %.80q", s), `write domains such as "example.org"`}
		}
		return nil
	})
}

// backendNames takes the name of a backend, or a list of some.
func backendNames(to func(*File) *[]string) taker {
	return texts(to, `["calendar", "mail"]`, func(s string) *problem {
		if !validName(s) {
			return &problem{fmt.Sprintf("a list with %.80q", s), `write names of backends, such as "calendar"`}
		}
		return nil
	})
}

// rules takes a list of rules for folders. See package choice.
func rules(to func(*File) *[]string) taker {
	return texts(to, `["Archive*", "ann: events/Work"]`, func(s string) *problem {
		if _, err := choice.ParseRule(s); err != nil {
			return &problem{fmt.Sprintf("a list with %.80q", s), `write "FOLDER", "USER: FOLDER" or "USER/DEVICE: FOLDER", such as "ann/iPhone: events/Work*"`}
		}
		return nil
	})
}

// texts takes a list of texts; from the environment, separated by commas.
func texts(to func(*File) *[]string, example string, check func(string) *problem) taker {
	return func(f *File, v any) *problem {
		var out []string
		switch v := v.(type) {
		case string:
			for s := range strings.SplitSeq(v, ",") {
				out = append(out, strings.TrimSpace(s))
			}
		case []any:
			for _, e := range v {
				s, ok := e.(string)
				if !ok {
					return &problem{"a list with " + describe(e), "write texts: " + example}
				}
				out = append(out, s)
			}
		default:
			return &problem{describe(v), "write a list: " + example}
		}
		for _, s := range out {
			if p := check(s); p != nil {
				return p
			}
		}
		*to(f) = out
		return nil
	}
}

// describe names a value for a person, without repeating what may be a secret
// in the wrong place.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "nothing"
	case string:
		if v == "" {
			return "empty"
		}
		return "a text"
	case bool, int64, float64:
		return fmt.Sprint(v)
	case []any:
		return "a list"
	case map[string]any:
		return "a table"
	}
	return "a date or time"
}
