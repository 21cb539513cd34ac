package imaptest

import (
	"fmt"
	"os"
	"os/user"
	"strings"
)

// dovecotConfig writes Dovecot's configuration.
func (s *Server) dovecotConfig() string {
	var own string
	if os.Getuid() != 0 { // everything runs as whoever runs the test
		name := fmt.Sprint(os.Getuid())
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
		own = "default_internal_user = " + name + "\ndefault_login_user = " + name + "\n"
		for _, service := range []string{"anvil", "imap-login", "managesieve-login", "stats", "ipc", "director"} {
			own += "service " + service + " {\n  chroot =\n}\n"
		}
	}
	if s.Capabilities != "" {
		own += "imap_capability = " + s.Capabilities + "\n"
	}
	plugins, hook, room := "", "", ""
	if s.Hook != "" {
		room = "  vsz_limit = 2G\n" // which programs that the script starts inherit
		plugins = " mail_lua notify push_notification push_notification_lua"
		hook = "  push_notification_driver = lua:file=" + s.Dir + "/hook.lua\n"
	}
	return strings.NewReplacer(
		"MOREPLUGINS", plugins, "  HOOK\n", hook, "  ROOM\n", room, "DIR", s.Dir, "SMTPADDRESS", s.SMTP,
		"IMAPPORT", port(s.IMAP), "IMAPSPORT", port(s.IMAPS), "SIEVEPORT", port(s.Sieve), "LMTPPORT", port(s.lmtp),
	).Replace(`protocols = imap lmtp sieve
base_dir = DIR/run
state_dir = DIR/run
log_path = DIR/dovecot.log
listen = 127.0.0.1
shutdown_clients = yes
ssl = yes
ssl_cert = <DIR/cert.pem
ssl_key = <DIR/key.pem
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_username_format = %Ln
auth_failure_delay = 0 secs
auth_cache_size = 0
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 200
login_trusted_networks = 127.0.0.1
passdb {
  driver = passwd-file
  args = scheme=PLAIN DIR/users
}
userdb {
  driver = passwd-file
  args = DIR/users
}
mail_location = sdbox:~/mail
mail_fsync = never
namespace inbox {
  inbox = yes
  separator = /
  mailbox Drafts {
    special_use = \Drafts
    auto = create
  }
  mailbox Sent {
    special_use = \Sent
    auto = create
  }
  mailbox Trash {
    special_use = \Trash
    auto = create
  }
  mailbox Junk {
    special_use = \Junk
    auto = create
  }
}
service imap-login {
  inet_listener imap {
    port = IMAPPORT
  }
  inet_listener imaps {
    port = IMAPSPORT
    ssl = yes
  }
}
service managesieve-login {
  inet_listener sieve {
    port = SIEVEPORT
  }
}
service lmtp {
  ROOM
  inet_listener lmtp {
    port = LMTPPORT
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
  mail_max_userip_connections = 200
}
protocol lmtp {
  mail_plugins = quota sieveMOREPLUGINS
  postmaster_address = postmaster@pushbridge.example
}
submission_host = SMTPADDRESS
plugin {
  quota = count:User quota
  quota_vsizes = yes
  quota_grace = 0
  sieve = file:~/sieve;active=~/.dovecot.sieve
  HOOK
}
` + own)
}

// eximConfig writes Exim's configuration.
func (s *Server) eximConfig() string {
	return strings.NewReplacer(
		"DIR", s.Dir, "UID", fmt.Sprint(s.uid), "GID", fmt.Sprint(s.gid), "MAXSIZE", fmt.Sprint(MaxSize),
		"SMTPPORT", port(s.SMTP), "SMTPSPORT", port(s.SMTPS), "LMTPPORT", port(s.lmtp),
	).Replace(`primary_hostname = mail.pushbridge.example
exim_path = DIR/exim
exim_user = UID
exim_group = GID
never_users =
deliver_drop_privilege
spool_directory = DIR/spool
log_file_path = DIR/log/%slog
pid_file_path = DIR/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = SMTPPORT : SMTPSPORT
tls_on_connect_ports = SMTPSPORT
tls_advertise_hosts = *
tls_certificate = DIR/cert.pem
tls_privatekey = DIR/key.pem
auth_advertise_hosts = *
message_size_limit = MAXSIZE
smtp_accept_max = 50
smtp_accept_max_per_connection = 100
accept_8bitmime = true
host_lookup =
rfc1413_query_timeout = 0s
keep_environment =
acl_smtp_mail = sender
acl_smtp_rcpt = recipient
acl_smtp_data = content

begin acl

sender:
  deny message = 5.7.1 you are not the president
       senders = president@pushbridge.example
  accept

recipient:
  deny message = 5.1.1 nobody of that name lives here
       local_parts = refused
  defer message = 4.2.0 come back later
       local_parts = later
  accept senders = :
         domains = pushbridge.example
  require message = 5.7.0 log in first
          authenticated = *
  accept domains = pushbridge.example
  deny message = 5.7.1 no relaying to $domain

content:
  deny message = 5.7.0 this looks like advertising
       condition = ${if match{$h_subject:}{BUY NOW}}
  accept

begin routers

local:
  driver = manualroute
  domains = pushbridge.example
  route_list = * 127.0.0.1
  self = send
  transport = dovecot

begin transports

dovecot:
  driver = smtp
  protocol = lmtp
  port = LMTPPORT
  allow_localhost
  hosts_try_fastopen =

begin retry
* * F,1h,1m

begin authenticators

PLAIN:
  driver = plaintext
  server_set_id = $auth2
  server_prompts = :
  server_condition = ${if eq{$auth3}{${lookup{$auth2}lsearch{DIR/passwords}{$value}{}}}}
`)
}
