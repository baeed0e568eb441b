interface Cookie {
  readonly name: string;
  readonly value: string;
  /** Lower case. */
  readonly path: string;
}

/**
 * The cookies of one session with one host. A front end tells by them which back end has the shell, so a lost cookie is
 * a lost shell. Paths are compared without case, because Exchange's cookies and URLs spell theirs differently; domain
 * and `Secure` don't matter where there is one host and one URL.
 */
export class CookieJar {
  readonly #cookies = new Map<string, Cookie>();

  /** Takes over what `Set-Cookie` headers say. */
  store(headers: readonly string[], url: URL, now: Date): void {
    for (const header of headers) {
      const [pair = "", ...attributes] = header.split(";");
      // The value itself may hold "=".
      const at = pair.indexOf("=");
      if (at < 1) continue;
      const name = pair.slice(0, at).trim();
      const attribute = (wanted: string): string | undefined => {
        const found = attributes.map((one) => one.trim()).find((one) => one.toLowerCase().startsWith(`${wanted}=`));
        return found?.slice(wanted.length + 1).trim();
      };
      const given = attribute("path");
      const path = withoutSlash((given?.startsWith("/") === true ? given : defaultPath(url)).toLowerCase());
      const key = `${name} ${path}`;
      if (isOver(attribute("max-age"), attribute("expires"), now)) this.#cookies.delete(key);
      else this.#cookies.set(key, { name, value: pair.slice(at + 1).trim(), path });
    }
  }

  /** Value of the Cookie header for a request to that URL; `undefined` when there is none to send. */
  header(url: URL): string | undefined {
    const path = url.pathname.toLowerCase();
    const matching = [...this.#cookies.values()]
      .filter((cookie) => isWithin(path, cookie.path))
      .sort((one, other) => other.path.length - one.path.length);
    return matching.length === 0 ? undefined : matching.map(({ name, value }) => `${name}=${value}`).join("; ");
  }
}

/** RFC 6265 5.1.4: the URL's path up to, but not including, the last slash. */
function defaultPath(url: URL): string {
  const end = url.pathname.lastIndexOf("/");
  return end <= 0 ? "/" : url.pathname.slice(0, end);
}

/** `/powershell/` and `/powershell` are one place; the root is empty. */
function withoutSlash(path: string): string {
  return path.replace(/\/+$/, "");
}

/** RFC 6265 5.1.4, both in lower case, the cookie's without a slash at its end. */
function isWithin(path: string, cookiePath: string): boolean {
  return path === cookiePath || path.startsWith(`${cookiePath}/`);
}

function isOver(maxAge: string | undefined, expires: string | undefined, now: Date): boolean {
  if (maxAge !== undefined && /^-?\d+$/.test(maxAge)) return Number(maxAge) <= 0;
  const end = expires === undefined ? Number.NaN : Date.parse(expires);
  return end <= now.getTime();
}
