export const HELP_TEXT = `exchange-certificates doctor: walks the way to real Exchange servers, step by step, and says what is wrong and what to
do about it. It only reads: it never changes anything on a server.

  exchange-certificates doctor --server ex01.contoso.com [--server ex02.contoso.com] [options]

It looks at: settings, name (DNS), connection (TCP), TLS, web server, clock, authentication, session, cmdlets that the
account sees, a whole reading, and how services are told.

  --server <fqdn>            a server; may be repeated. Default: EXCHANGE_SERVERS
  --endpoint <url>           with {server} in the place of the server's name. Default: http://{server}/PowerShell/ for
                             Kerberos, https://{server}/PowerShell/ for Basic
  --authentication <how>     kerberos (default) or basic
  --username <name>          user@domain. Kerberos: default is whoever the tickets belong to
  --password-env <NAME>      the environment variable that holds the password. Default: EXCHANGE_PASSWORD
  --password-stdin           read the password from standard input
  --tls-server-name <name>   the name that the server's certificate is checked against. Default: the URL's host
  --ca-file <file>           PEM file of the CAs to trust, instead of those that Node trusts
  --timeout <seconds>        longest time for one step. Default: 60, and less where less must do
  --json                     for machines: one document on standard output
  --help, --version

Every setting of the provider can also stand in its environment variable (EXCHANGE_ENDPOINT, EXCHANGE_AUTHENTICATION,
EXCHANGE_USERNAME, EXCHANGE_PASSWORD, EXCHANGE_TLS_SERVER_NAME, EXCHANGE_CA_FILE and the others); options go first. The
configuration of a Pulumi stack isn't read. EXCHANGE_TRACE=1 shows the conversation on standard error, without secrets.

Each line says ok, warn (it works, but look), FAIL or skip. The exit code is 0 when nothing failed, 1 when something
did, and 2 when the command couldn't be understood.`;
