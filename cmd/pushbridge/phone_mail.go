package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pushbridge/pushbridge/bridge/phone"
)

// mailFilters are the spans of time that phones offer, by the word for each. See
// [MS-ASCMD] "FilterType (Sync)".
var mailFilters = map[string]int{"all": 0, "1d": 1, "3d": 2, "1w": 3, "2w": 4, "1m": 5}

// mail is "phone mail".
func (f *phoneFlags) mail() *cobra.Command {
	span := ""
	c := &cobra.Command{
		Use: "mail", Short: "List the mail that a phone would hold", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			filter, ok := mailFilters[span]
			if !ok {
				return fmt.Errorf("%w: --for %q has to be one of 1d, 3d, 1w, 2w, 1m and all", errUsage, span)
			}
			if err := f.complete(c.Flags().Changed("password")); err != nil {
				return err
			}
			return phone.PrintMail(c.Context(), c.OutOrStdout(), f.config, filter)
		},
	}
	c.Flags().StringVar(&span, "for", "1w", "how `LONG` ago it may have come: 1d, 3d, 1w, 2w, 1m or all")
	return c
}

// send is "phone send ADDRESS ...".
func (f *phoneFlags) send() *cobra.Command {
	subject, text := "", ""
	c := &cobra.Command{
		Use: "send ADDRESS ...", Short: "Send a mail, whose text is --text or comes from standard input", Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, to []string) error {
			if err := f.complete(c.Flags().Changed("password")); err != nil {
				return err
			}
			in := c.InOrStdin()
			if c.Flags().Changed("text") {
				in = strings.NewReader(text)
			}
			return phone.SendMail(c.Context(), c.OutOrStdout(), f.config, to, subject, in)
		},
	}
	c.Flags().StringVar(&subject, "subject", "", "the `SUBJECT`")
	c.Flags().StringVar(&text, "text", "", "the `TEXT`")
	return c
}
