import { isIP } from "node:net";
import { RemotingError } from "../../errors";

/**
 * A user name as a principal.
 *
 * `anna@CONTOSO.COM` is one. `anna@contoso.com`, in the form of a UPN, becomes it: realms of Active Directory are the
 * domain's DNS name in capitals, and MIT's library compares realms letter by letter. Other clients pass the name on as
 * it is, and their users learn about capitals the hard way. The enterprise form, by which a KDC could resolve any UPN,
 * can't be used with a password: the name that comes back differs from the one that was asked for, and
 * gss_acquire_cred_with_password takes that for a failure. `anna` alone is one of the default realm.
 *
 * @throws RemotingError `SettingsRefused`, saying how to write it.
 */
export function principalOf(username: string): string {
  const name = username.trim();
  if (name.includes("\\")) {
    throw misspelt(`The user name "${name}" isn't in the form that Kerberos takes.`);
  }
  const [user = "", realm, ...more] = name.split("@");
  if (user === "" || realm === "" || more.length > 0 || /[\s\0]/.test(name)) {
    throw misspelt(`The user name "${name}" is no principal.`);
  }
  if (realm === undefined) return user;
  return `${user}@${realm === realm.toLowerCase() ? realm.toUpperCase() : realm}`;
}

/**
 * A user name as an account of Windows: `CONTOSO\\anna`, `anna@contoso.com` (a UPN, with whatever suffix), or `anna`
 * alone, which is looked for in the domain of this machine.
 *
 * @throws RemotingError `SettingsRefused`, saying how to write it.
 */
export function windowsAccountOf(username: string): string {
  const name = username.trim();
  const parts = name.split(/[\\@]/);
  if (parts.length > 2 || parts.some((part) => part === "") || /\p{Cc}/u.test(name)) {
    throw refused(
      `The user name "${name}" is no account. Write it as CONTOSO\\anna, or as its UPN, such as anna@contoso.com.`,
    );
  }
  return name;
}

/**
 * The service to get a ticket for: as it is written in the URL, so that nothing is rewritten by what DNS says.
 *
 * @throws RemotingError `SettingsRefused` for an address, which no ticket is issued for.
 */
export function servicePrincipalOf(host: string): string {
  if (isIP(host.replace(/^\[(.*)\]$/, "$1")) !== 0) {
    throw refused(
      `Kerberos needs the server's name, but the URL names the address ${host}. Write the host's full name.`,
    );
  }
  return `HTTP/${host}`;
}

function misspelt(what: string): RemotingError {
  return refused(
    `${what} Write the account's name, @, and its domain's full DNS name in capitals, such as anna@CONTOSO.COM.`,
  );
}

function refused(message: string): RemotingError {
  return new RemotingError("SettingsRefused", message, { facts: { fate: "notDone" } });
}
