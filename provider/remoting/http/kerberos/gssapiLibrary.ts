import type { SealedBody } from "../authentication";
import { FLAGS, GssError, type Gssapi, type Handle } from "./gssapi";
import { gssapiFailure } from "./gssapiMeanings";
import type {
  ConversationWish,
  KerberosConversation,
  KerberosLibrary,
  Operation,
  Step,
  WhoWeAre,
} from "./kerberosLibrary";
import { joinToken, splitToken } from "./kerberosToken";

const WANTED = FLAGS.mutual | FLAGS.confidential | FLAGS.integrity;

/** Kerberos by MIT's GSSAPI. `environment`: of the process, where the library reads its settings, too. */
export function gssapiLibrary(
  gssapi: Gssapi,
  environment: Readonly<Record<string, string | undefined>>,
): KerberosLibrary {
  return { converse: (wish) => new GssapiConversation(wish, gssapi, environment) };
}

class GssapiConversation implements KerberosConversation {
  readonly #wish: ConversationWish;
  readonly #gssapi: Gssapi;
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #context: Handle;
  /** What is to be released, the last one first. */
  readonly #held: (() => void)[] = [];
  #name: Handle | undefined;
  #credential: Handle | undefined;

  constructor(wish: ConversationWish, gssapi: Gssapi, environment: Readonly<Record<string, string | undefined>>) {
    this.#wish = wish;
    this.#gssapi = gssapi;
    this.#environment = environment;
    const context = gssapi.newContext();
    this.#context = context;
    this.#held.push(() => {
      gssapi.deleteContext(context);
    });
  }

  origin(): readonly string[] {
    const { cache, keytab } = this.facts();
    const configuration = `configuration ${this.#environment["KRB5_CONFIG"] ?? "/etc/krb5.conf"}`;
    if (this.#wish.password !== undefined) return ["with the password given", configuration];
    return [
      cache === undefined ? "default ticket cache" : `ticket cache ${cache}`,
      ...(keytab === undefined ? [] : [`client keytab ${keytab}`]),
      configuration,
    ];
  }

  facts(): { readonly cache: string | undefined; readonly keytab: string | undefined } {
    if (this.#wish.password !== undefined) return { cache: undefined, keytab: undefined };
    return {
      cache: this.#environment["KRB5CCNAME"] ?? this.#gssapi.cacheName(),
      keytab: this.#environment["KRB5_CLIENT_KTNAME"],
    };
  }

  async step(token: Uint8Array | undefined, isWanted: () => void): Promise<Step> {
    const { account, service } = this.#wish;
    try {
      // The realm is left empty, so that the KDC, or domain_realm of krb5.conf, says which one it is.
      this.#name ??= await this.#import(`${service}@`, isWanted);
      if (account !== undefined) this.#credential ??= await this.#acquire(account, isWanted);
      isWanted();
      const result = await this.#gssapi.init({
        context: this.#context,
        credential: this.#credential,
        target: this.#name,
        token,
      });
      const { isComplete, seconds } = result;
      return { token: result.token, isComplete, isAsWanted: (result.flags & WANTED) === WANTED, seconds };
    } catch (error) {
      throw failure(error, token === undefined ? undefined : "prove");
    }
  }

  seal(clear: Uint8Array): SealedBody {
    return this.#now(() => splitToken(this.#gssapi.wrap(this.#context, clear), clear.length));
  }

  open(sealed: SealedBody): Uint8Array {
    return this.#now(() => this.#gssapi.unwrap(this.#context, joinToken(sealed)));
  }

  whoWeAre(): WhoWeAre | undefined {
    const name = this.#gssapi.whoWeAre(this.#context);
    return name === undefined ? undefined : { name, isAgreed: true };
  }

  release(): void {
    for (const release of this.#held.splice(0).reverse()) release();
  }

  async #import(text: string, isWanted: () => void): Promise<Handle> {
    const gssapi = this.#gssapi;
    isWanted();
    const name = await gssapi.importPrincipal(text);
    this.#held.push(() => {
      gssapi.releaseName(name);
    });
    return name;
  }

  async #acquire(account: string, isWanted: () => void): Promise<Handle> {
    const gssapi = this.#gssapi;
    const name = await this.#import(account, isWanted);
    isWanted();
    const { password } = this.#wish;
    const secret = password === undefined ? undefined : Buffer.from(password.reveal(), "utf8");
    const credential = await gssapi.acquire(name, secret);
    this.#held.push(() => {
      gssapi.releaseCredential(credential);
    });
    return credential;
  }

  #now<T>(call: () => T): T {
    try {
      return call();
    } catch (error) {
      throw failure(error);
    }
  }
}

function failure(error: unknown, operation?: Operation): unknown {
  return error instanceof GssError ? gssapiFailure(error, operation) : error;
}
