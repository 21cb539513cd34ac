package mail

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pushbridge/pushbridge/bridge/eas"
	"github.com/pushbridge/pushbridge/bridge/eas/tag"
	"github.com/pushbridge/pushbridge/bridge/translate"
	"github.com/pushbridge/pushbridge/bridge/wbxml"
)

func flagOf(children ...eas.Element) eas.Element { return eas.C(tag.EmailFlag, children...) }

func categoriesOf(names ...string) eas.Element {
	el := eas.C(tag.EmailCategories)
	for _, n := range names {
		el.Children = append(el.Children, eas.T(tag.EmailCategory, n))
	}
	return el
}

func TestChange(t *testing.T) {
	due := []eas.Element{eas.T(tag.EmailStatus, "2"), eas.T(tag.EmailFlagType, "Flag for follow up"),
		eas.T(tag.TasksStartDate, "2026-11-28T00:00:00.000Z"), eas.T(tag.TasksUtcStartDate, "2026-11-27T23:00:00.000Z"),
		eas.T(tag.TasksDueDate, "2026-11-30T00:00:00.000Z"), eas.T(tag.TasksUtcDueDate, "2026-11-29T23:00:00.000Z"),
		eas.T(tag.TasksReminderSet, "1"), eas.T(tag.TasksReminderTime, "2026-11-30T08:00:00.000Z")}
	dueWords := []string{Flagged, "followup-start-20261128", "followup-due-20261130", "followup-reminder-20261130T080000Z"}
	for _, tt := range []struct {
		name       string
		v          eas.Version
		flags      []string
		sent       eas.Element
		set, clear []string
	}{
		{"read", eas.V25, nil, eas.T(tag.EmailRead, "1"), []string{Seen}, nil},
		{"read again", eas.V25, []string{`\seen`}, eas.T(tag.EmailRead, "1"), nil, nil},
		{"unread", eas.V161, []string{Seen, "Work"}, eas.T(tag.EmailRead, "0"), nil, []string{Seen}},
		{"flagged", eas.V120, nil, flagOf(eas.T(tag.EmailStatus, "2"), eas.T(tag.EmailFlagType, "for Follow Up")), []string{Flagged}, nil},
		{"flagged with dates", eas.V141, nil, flagOf(due...), dueWords, nil},
		{"the same again", eas.V141, dueWords, flagOf(due...), nil, nil},
		{"by a phone without dates", eas.V141, dueWords, flagOf(due[:2]...), nil, nil},
		{"in UTC alone", eas.V141, []string{Flagged}, flagOf(due[0], due[1], due[3], due[5]), dueWords[1:3], nil},
		{"another day", eas.V141, dueWords, flagOf(due[0], due[1], due[2], due[3], eas.T(tag.TasksDueDate, "2026-12-01T00:00:00.000Z")), []string{"followup-due-20261201"}, []string{dueWords[2], dueWords[3]}},
		{"done", eas.V141, dueWords, flagOf(eas.T(tag.EmailStatus, "1"), eas.T(tag.EmailCompleteTime, "2026-11-29T10:11:12.345Z"), eas.T(tag.TasksDateCompleted, "2026-11-29T10:11:12.345Z")),
			[]string{"followup-done-20261129T101112Z"}, dueWords},
		{"done without a time", eas.V141, []string{Flagged}, flagOf(eas.T(tag.EmailStatus, "1")), []string{"followup-done-20261128T090001Z"}, []string{Flagged}},
		{"done again", eas.V141, []string{"followup-done-20261129T101112Z"}, flagOf(eas.T(tag.EmailStatus, "1")), nil, nil},
		{"no flag", eas.V141, append([]string{Seen}, dueWords...), flagOf(), nil, dueWords},
		{"status 0", eas.V141, []string{Flagged}, flagOf(eas.T(tag.EmailStatus, "0")), nil, []string{Flagged}},
		{"a flag in 2.5", eas.V25, nil, flagOf(eas.T(tag.EmailStatus, "2")), nil, nil},
		{"categories", eas.V141, []string{"Work", "$label3", "NonJunk"}, categoriesOf("Work", "To Do", "Grüne Woche"), []string{"$label4", "Gr&APw-ne&ACA-Woche"}, []string{"$label3"}},
		{"the same categories", eas.V141, []string{"work", "$Label1", "Gr&APw-ne&ACA-Woche"}, categoriesOf("Grüne Woche", "work", "Important"), nil, nil},
		{"no categories", eas.V141, []string{"Work", Seen, "$Forwarded", "$Junk"}, categoriesOf(), nil, []string{"Work"}},
		{"a category that programs use", eas.V141, nil, categoriesOf("Junk", "$5", `\Seen`), []string{"&AEoAdQBuAGs-", "&ACQ-5", "&AFw-Seen"}, nil},
		{"categories in 12.1", eas.V121, []string{"Work"}, categoriesOf(), nil, nil},
		{"nothing", eas.V141, []string{Seen, Flagged, "Work"}, eas.T(tag.EmailSubject, "x"), nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(tt.v)
			o.Ghosted = func(wbxml.Tag) bool { return true }
			set, clear, err := Change(tt.flags, eas.Properties{tt.sent}, o)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.set, set); d != "" {
				t.Errorf("set -want +got:\n%s", d)
			}
			if d := cmp.Diff(tt.clear, clear); d != "" {
				t.Errorf("clear -want +got:\n%s", d)
			}
		})
	}
}

func TestChangeRefused(t *testing.T) {
	many := make([]string, 301)
	for i := range many {
		many[i] = strings.Repeat("x", i+1)
	}
	for name, sent := range map[string]eas.Element{
		"Read":       eas.T(tag.EmailRead, "2"),
		"Status":     flagOf(eas.T(tag.EmailStatus, "3")),
		"a date":     flagOf(eas.T(tag.EmailStatus, "2"), eas.T(tag.TasksDueDate, "soon")),
		"a year":     flagOf(eas.T(tag.EmailStatus, "1"), eas.T(tag.EmailCompleteTime, "0001-01-01T00:00:00.000Z")),
		"categories": categoriesOf(many...),
	} {
		if _, _, err := Change(nil, eas.Properties{sent}, options(eas.V161)); !errors.Is(err, translate.ErrInvalid) {
			t.Errorf("%s: error = %v, want ErrInvalid", name, err)
		}
	}
}

// TestStateSentBackChangesNothing: what a phone is told of a message's flags,
// in any version, is no edit when it comes back.
func TestStateSentBackChangesNothing(t *testing.T) {
	for _, flags := range [][]string{
		nil, {Seen}, {Flagged, Answered}, {Flagged, "followup-due-20261130"}, {Flagged, "followup-start-20261128", "followup-due-20261130", "followup-reminder-20261130T080000Z"},
		{"followup-done-20261129T101112Z", Seen}, {"Work", "$label1", "Gr&APw-ne&ACA-Woche", "$Forwarded", "NonJunk"}, {"a&b-", "&", "&-"}, {"followup-due-never"}, {DraftFlag},
	} {
		for _, v := range eas.Versions {
			o := options(v)
			ps := State(flags, o)
			validate(t, ps, v)
			set, clear, err := Change(flags, ps, o)
			clear = slices.DeleteFunc(clear, func(f string) bool { return !hasFlag(flags, Flagged) && strings.HasPrefix(f, "followup-due-") })
			if err != nil || len(clear) > 0 {
				t.Errorf("%v, %v: cleared %q, %v", v, flags, clear, err)
			}
			if len(set) > 0 && !slices.Equal(set, []string{"followup-start-20261130"}) { // of one date phones are shown two
				t.Errorf("%v, %v: set %q", v, flags, set)
			}
		}
	}
}

func TestVerbs(t *testing.T) {
	for _, tt := range []struct {
		flags []string
		want  string
	}{{nil, ""}, {[]string{Answered}, "1"}, {[]string{"$forwarded"}, "3"}, {[]string{Answered, Forwarded}, "1"}} {
		if got := get(State(tt.flags, options(eas.V141)), tag.Email2LastVerbExecuted); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.flags, got, tt.want)
		}
	}
	if got := get(State([]string{DraftFlag}, options(eas.V160)), tag.Email2IsDraft); got != "1" {
		t.Errorf("a draft: %q", got)
	}
}

// FuzzKeywords: every name of a category is one keyword that an IMAP server
// takes, and comes back as that name.
func FuzzKeywords(f *testing.F) {
	for _, s := range []string{"Work", "Grüne Woche", "a&b", "&-", "Junk", "$label1", `\Seen`, "followup-due-20261130", "😀", "a\nb", "To Do"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		name = strings.TrimSpace(clean(name))
		if name == "" || strings.ContainsAny(name, "\t\r\n") {
			t.Skip("no category is called so")
		}
		keyword := categoryKeyword(name, nil)
		if strings.ContainsFunc(keyword, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`(){%*"\]`, r) }) {
			t.Errorf("%q becomes %q, which is no atom", name, keyword)
		}
		if got := categories([]string{keyword}); len(got) != 1 || !strings.EqualFold(got[0], name) {
			t.Errorf("%q comes back as %q", name, got)
		}
	})
}
