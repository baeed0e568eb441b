export const HELP_TEXT = `exchange-certificates: looks at real Exchange servers. It only reads: it never changes anything on a server.

  exchange-certificates doctor    --server ex01.contoso.com [--server ex02.contoso.com] [options]
  exchange-certificates inventory --server ex01.contoso.com [--server ex02.contoso.com] [options]
  exchange-certificates generate  --server ex01.contoso.com [--server ex02.contoso.com] [options]

doctor walks the way to each server, step by step, and says what is wrong and what to do about it: settings, name
(DNS), connection (TCP), TLS, web server, clock, authentication, session, cmdlets that the account sees, a whole
reading, and how services are told.

inventory lists the certificates of the servers: who holds which service and who displays it, the default SMTP
certificate, connectors, status, days left. Its output names servers, connectors and clients' names; it holds no keys.

generate writes what declares the certificates that hold services by now: a file for pulumi import --file (the plugin),
or a program (the dynamic resource). It says which certificates it has left out, and why.

  --server <fqdn>            a server; may be repeated. Default: EXCHANGE_SERVERS
  --endpoint <url>           with {server} in the place of the server's name. Default: http://{server}/PowerShell/ for
                             Kerberos, https://{server}/PowerShell/ for Basic
  --authentication <how>     kerberos (default) or basic
  --username <name>          user@domain. Kerberos: default is whoever the tickets belong to,
                             on Windows whoever has logged on
  --password-env <NAME>      the environment variable that holds the password. Default: EXCHANGE_PASSWORD
  --password-stdin           read the password from standard input
  --tls-server-name <name>   the name that the server's certificate is checked against. Default: the URL's host
  --ca-file <file>           PEM file of the CAs to trust, instead of those that Node trusts
  --timeout <seconds>        longest time for one step of the doctor, or for one server of the inventory. Default: 60
  --json                     for machines: one document on standard output
  --help, --version

Of inventory and generate:
  --backend <backend>        remote (default), simulator, or a module of your own. Default: EXCHANGE_BACKEND
  --simulator-file <file>    the simulated organisation's file. Default: EXCHANGE_SIMULATOR_FILE
  --ends-within <days>       of inventory: exit code 3 when something in use ends within so many days (or nobody can
                             tell when)
  --as <what>                of generate: import (default) or program

Every setting of the provider can also stand in its environment variable (EXCHANGE_ENDPOINT, EXCHANGE_AUTHENTICATION,
EXCHANGE_USERNAME, EXCHANGE_PASSWORD, EXCHANGE_TLS_SERVER_NAME, EXCHANGE_CA_FILE and the others); options go first. The
configuration of a Pulumi stack isn't read. EXCHANGE_TRACE=1 shows the conversation on standard error, without secrets.

Exit codes: 0 when nothing failed; 1 when something did (inventory: a server couldn't be read; the others are listed
all the same); 2 when the command couldn't be understood; 3 when something in use ends soon (--ends-within).`;
