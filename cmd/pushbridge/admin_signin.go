package main

import (
	"bufio"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pushbridge/pushbridge/bridge/admin"
	"github.com/pushbridge/pushbridge/bridge/admin/roster"
)

// urlVariable and tokenVariable name variables of the environment that say which
// worker is asked over the web, and with which token.
const (
	urlVariable   = "PUSHBRIDGE_URL"
	tokenVariable = "PUSHBRIDGE_TOKEN"
)

// maxSecret bounds a file with a token or a password, in bytes.
const maxSecret = 4096

// remote makes a client of a worker over the web.
func (f *adminFlags) remote(url string) (*admin.Client, error) {
	token := os.Getenv(tokenVariable)
	if f.tokenFile != "" {
		text, err := secretFile(f.tokenFile)
		if err != nil {
			return nil, fmt.Errorf("%w: --token-file: %w", errUsage, err)
		}
		token = text
	}
	if token == "" {
		return nil, fmt.Errorf("%w: the token is missing; use --token-file or the environment variable %s", errUsage, tokenVariable)
	}
	var roots *x509.CertPool
	if f.caFile != "" {
		text, err := os.ReadFile(f.caFile)
		if err != nil {
			return nil, fmt.Errorf("%w: --ca-file: %w", errUsage, err)
		}
		roots = x509.NewCertPool()
		if !roots.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%w: --ca-file: %s has no certificate in PEM", errUsage, f.caFile)
		}
	}
	c, err := admin.NewRemoteClient(url, token, roots)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return c, nil
}

// secretFile reads a file with one line.
func secretFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSecret+1))
	if err != nil {
		return "", err
	}
	if len(text) > maxSecret {
		return "", fmt.Errorf("%s is larger than %d bytes", path, maxSecret)
	}
	return strings.TrimRight(string(text), "\r\n"), nil
}

func (f *adminFlags) administrator() *cobra.Command {
	c := &cobra.Command{
		Use: "administrator", Short: "Keep the list of those who may sign in over the web",
		Long: "Keeps the list of those who may sign in over the web (the table [web] of the\n" +
			"configuration turns that on). The first one is made through the socket:\n\n" +
			"  pushbridge admin administrator add jane --roles server-administrator,device-administrator",
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	list := ask(f, &cobra.Command{Use: "list", Short: "List the administrators", Args: cobra.NoArgs},
		func(ctx context.Context, c *admin.Client, _ []string) ([]admin.Administrator, error) {
			return admin.OpAdministrators.Ask(ctx, c, admin.Nothing{})
		}, printAdministrators)
	c.AddCommand(list, f.administratorAdd(), f.administratorRoles(), f.administratorPassword(),
		f.administratorSwitch("disable", "Let an administrator in no more; sessions end at once, tokens rest", true),
		f.administratorSwitch("enable", "Let an administrator in again", false),
		ask(f, &cobra.Command{Use: "remove NAME", Short: "Take an administrator off the list, with all sessions and tokens", Args: cobra.ExactArgs(1)},
			func(ctx context.Context, c *admin.Client, args []string) (admin.Done, error) {
				return admin.OpDropAdmin.Ask(ctx, c, admin.NameRequest{Name: args[0]})
			}, printDone),
		ask(f, &cobra.Command{Use: "drop-code NAME", Short: "Ask an administrator for no code, who lost the app that shows it", Args: cobra.ExactArgs(1)},
			func(ctx context.Context, c *admin.Client, args []string) (admin.Done, error) {
				return admin.OpDropFactor.Ask(ctx, c, admin.NameRequest{Name: args[0]})
			}, printDone))
	return c
}

func (f *adminFlags) administratorAdd() *cobra.Command {
	var roles []string
	var file string
	c := &cobra.Command{
		Use: "add NAME --roles ROLE,...", Short: "Make an administrator",
		Long: "Makes an administrator. The password is read from --password-file, or asked for.\n" +
			"The roles are " + rolesText() + ".",
		Args: cobra.ExactArgs(1),
	}
	c.Flags().StringSliceVar(&roles, "roles", nil, "the `ROLES`, separated by commas")
	c.Flags().StringVar(&file, "password-file", "", "a `FILE` that holds the password")
	return ask(f, c, func(ctx context.Context, client *admin.Client, args []string) (admin.Administrator, error) {
		password, err := newPassword(c, file, args[0])
		if err != nil {
			return admin.Administrator{}, err
		}
		a, err := admin.OpAdministrator.Ask(ctx, client, admin.AdministratorRequest{Name: args[0], Create: true, Roles: &roles})
		if err != nil {
			return a, err
		}
		_, err = admin.OpSetPassword.Ask(ctx, client, admin.PasswordRequest{Name: args[0], Password: password})
		a.Password = err == nil
		return a, err
	}, printAdministrator)
}

func (f *adminFlags) administratorRoles() *cobra.Command {
	return ask(f, &cobra.Command{
		Use: "roles NAME ROLE,...", Short: "Give an administrator other roles; sessions end", Args: cobra.ExactArgs(2),
		Long: "Gives an administrator other roles, which ends all sessions. Tokens may what is left of\ntheir roles. The roles are " + rolesText() + ".",
	}, func(ctx context.Context, c *admin.Client, args []string) (admin.Administrator, error) {
		roles := strings.Split(args[1], ",")
		return admin.OpAdministrator.Ask(ctx, c, admin.AdministratorRequest{Name: args[0], Roles: &roles})
	}, printAdministrator)
}

func (f *adminFlags) administratorPassword() *cobra.Command {
	var file string
	c := &cobra.Command{Use: "password NAME", Short: "Give an administrator another password; sessions end", Args: cobra.ExactArgs(1)}
	c.Flags().StringVar(&file, "password-file", "", "a `FILE` that holds the password")
	return ask(f, c, func(ctx context.Context, client *admin.Client, args []string) (admin.Done, error) {
		password, err := newPassword(c, file, args[0])
		if err != nil {
			return admin.Done{}, err
		}
		return admin.OpSetPassword.Ask(ctx, client, admin.PasswordRequest{Name: args[0], Password: password})
	}, printDone)
}

func (f *adminFlags) administratorSwitch(use, short string, off bool) *cobra.Command {
	return ask(f, &cobra.Command{Use: use + " NAME", Short: short, Args: cobra.ExactArgs(1)},
		func(ctx context.Context, c *admin.Client, args []string) (admin.Administrator, error) {
			return admin.OpAdministrator.Ask(ctx, c, admin.AdministratorRequest{Name: args[0], Disabled: &off})
		}, printAdministrator)
}

func rolesText() string {
	words := make([]string, len(admin.AllRoles))
	for i, r := range admin.AllRoles {
		words[i] = string(r)
	}
	return strings.Join(words, ", ")
}

// newPassword reads a password that somebody is to get, and says what is wrong
// with it before anything is done.
func newPassword(c *cobra.Command, file, name string) (password string, err error) {
	if file != "" {
		password, err = secretFile(file)
	} else {
		password, err = typed(c, "New password for "+harmless(name)+": ", true)
	}
	if err == nil {
		err = roster.CheckPassword(name, password)
	}
	if err != nil {
		return "", fmt.Errorf("%w: the password: %w", errUsage, err)
	}
	return password, nil
}

// typed asks for a password at a terminal, twice if it is a new one; from anything
// else it takes a line.
func typed(c *cobra.Command, prompt string, twice bool) (string, error) {
	in, ok := c.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		line, err := bufio.NewReader(io.LimitReader(c.InOrStdin(), maxSecret)).ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return "", err
		}
		return strings.TrimRight(line, "\r\n"), nil
	}
	fmt.Fprint(c.ErrOrStderr(), prompt)
	first, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(c.ErrOrStderr())
	if err != nil || !twice {
		return string(first), err
	}
	fmt.Fprint(c.ErrOrStderr(), "Once more: ")
	second, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintln(c.ErrOrStderr())
	if err == nil && string(first) != string(second) {
		err = errors.New("these are two different ones")
	}
	return string(first), err
}

func printAdministrators(w io.Writer, list []admin.Administrator) {
	if len(list) == 0 {
		fmt.Fprintln(w, "There are no administrators: nobody signs in over the web.")
		return
	}
	t := newTable(w, "NAME", "ROLES", "SIGNS IN WITH", "SINCE")
	for _, a := range list {
		t.row(a.Name, strings.Join(a.Roles, ", "), signsIn(a), moment(a.Created))
	}
	t.Flush()
}

func printAdministrator(w io.Writer, a admin.Administrator) {
	fmt.Fprintf(w, "%s: %s; signs in with: %s.\n", harmless(a.Name), harmless(strings.Join(a.Roles, ", ")), signsIn(a))
}

// signsIn says how an administrator gets in.
func signsIn(a admin.Administrator) string {
	switch {
	case a.Disabled:
		return "nothing: disabled"
	case !a.Password:
		return "nothing: there is no password"
	case a.TwoFactor:
		return "password and code"
	}
	return "password"
}

func (f *adminFlags) token() *cobra.Command {
	c := &cobra.Command{
		Use: "token", Short: "Keep the tokens that programs ask over the web with",
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	list := ask(f, &cobra.Command{Use: "list [ADMINISTRATOR]", Short: "List tokens; what is shown for them cannot be read again", Args: cobra.MaximumNArgs(1)},
		func(ctx context.Context, c *admin.Client, args []string) ([]admin.Token, error) {
			return admin.OpTokens.Ask(ctx, c, admin.TokensRequest{Administrator: optional(args, 0)})
		}, printTokens)
	revoke := ask(f, &cobra.Command{Use: "revoke ADMINISTRATOR ID", Short: "End a token at once", Args: cobra.ExactArgs(2)},
		func(ctx context.Context, c *admin.Client, args []string) (admin.Done, error) {
			return admin.OpRevokeToken.Ask(ctx, c, admin.RevokeRequest{Administrator: args[0], ID: args[1]})
		}, printDone)
	c.AddCommand(list, f.tokenNew(), revoke)
	return c
}

func (f *adminFlags) tokenNew() *cobra.Command {
	var roles []string
	var days int
	c := &cobra.Command{
		Use: "new ADMINISTRATOR NAME --roles ROLE,...", Short: "Make a token for an administrator, and print it this once",
		Long: "Makes a token that a program may use in the name of an administrator, with some of\n" +
			"their roles, and prints it: it cannot be read again. It ends by itself after --days.",
		Args: cobra.ExactArgs(2),
	}
	c.Flags().StringSliceVar(&roles, "roles", nil, "the `ROLES`, separated by commas, of those that the administrator has")
	c.Flags().IntVar(&days, "days", 0, "how many `DAYS` it is valid, if not 90")
	return ask(f, c, func(ctx context.Context, client *admin.Client, args []string) (admin.NewToken, error) {
		return admin.OpNewToken.Ask(ctx, client, admin.NewTokenRequest{Administrator: args[0], Name: args[1], Roles: roles, Days: days})
	}, func(w io.Writer, t admin.NewToken) { fmt.Fprintln(w, t.Secret) })
}

func printTokens(w io.Writer, list []admin.Token) {
	if len(list) == 0 {
		fmt.Fprintln(w, "There are no tokens.")
		return
	}
	t := newTable(w, "ID", "ADMINISTRATOR", "NAME", "ROLES", "EXPIRES", "USED")
	for _, one := range list {
		used := ""
		if one.Used != nil {
			used = moment(*one.Used)
		}
		expires := moment(one.Expires)
		if one.Expires.Before(time.Now()) {
			expires = "expired " + expires
		}
		t.row(one.ID, one.Administrator, one.Name, strings.Join(one.Roles, ", "), expires, used)
	}
	t.Flush()
}

func (f *adminFlags) session() *cobra.Command {
	c := &cobra.Command{
		Use: "session", Short: "List and end the sessions of those who are signed in over the web",
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	list := ask(f, &cobra.Command{Use: "list", Short: "List who is signed in", Args: cobra.NoArgs},
		func(ctx context.Context, c *admin.Client, _ []string) ([]admin.Session, error) {
			return admin.OpSessions.Ask(ctx, c, admin.SessionRequest{})
		}, printSessions)
	var administrator, user string
	end := ask(f, &cobra.Command{Use: "end [NUMBER]", Short: "End a session, or all of somebody's", Args: cobra.MaximumNArgs(1)},
		func(ctx context.Context, c *admin.Client, args []string) (admin.Done, error) {
			return admin.OpEndSessions.Ask(ctx, c, admin.EndRequest{Number: optional(args, 0), Administrator: administrator, User: user})
		}, printDone)
	end.Flags().StringVar(&administrator, "administrator", "", "all sessions of this administrator, `NAME`")
	end.Flags().StringVar(&user, "user", "", "all sessions of this phone's owner, `USER`")
	c.AddCommand(list, end)
	return c
}

func printSessions(w io.Writer, list []admin.Session) {
	if len(list) == 0 {
		fmt.Fprintln(w, "Nobody is signed in.")
		return
	}
	t := newTable(w, "NUMBER", "WHO", "SINCE", "SEEN", "FROM", "WITH")
	for _, s := range list {
		who := s.Administrator
		if s.User != "" {
			who = "owner " + s.User
		}
		t.row(s.Number, who, moment(s.Began), moment(s.Seen), s.Address, s.Agent)
	}
	t.Flush()
}
