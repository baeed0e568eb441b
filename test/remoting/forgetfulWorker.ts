import { basicAuthentication } from "../../provider/remoting/http/authentication";
import { openSession, sessionEnv } from "../../provider/remoting/session";
import { Secret } from "../../provider/secret";

/*
 * A process that opens a session, runs a cmdlet, and closes nothing; see session.test.ts. Arguments: URL, user name; the
 * password comes in FORGETFUL_PASSWORD.
 */
const [url = "", username = ""] = process.argv.slice(2);

async function work(): Promise<void> {
  const options = {
    url: new URL(url),
    resourceUri: "http://schemas.microsoft.com/powershell/Microsoft.Exchange",
    authentication: basicAuthentication(username, new Secret(process.env["FORGETFUL_PASSWORD"] ?? "")),
    tls: { dangerouslySkipVerification: true },
    idleSeconds: 3600,
  };
  const { signal } = new AbortController();
  const session = await openSession(options, sessionEnv, signal);
  const { state } = await session.run([{ name: "Get-AuthConfig", parameters: {} }], { signal });
  process.stdout.write(state);
}

void work();
