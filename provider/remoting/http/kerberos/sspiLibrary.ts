import type { SealedBody } from "../authentication";
import type {
  ConversationWish,
  KerberosConversation,
  KerberosLibrary,
  Operation,
  Step,
  WhoWeAre,
} from "./kerberosLibrary";
import { checkAnswer, checkOwn } from "./kerberosToken";
import { type AccountIdentity, type MessageSizes, RETURNED, type SecHandle, type Sspi, SspiError } from "./sspi";
import { sspiFailure } from "./sspiMeanings";

const WANTED = RETURNED.mutual | RETURNED.confidential | RETURNED.integrity;
/** Between the beginning of FILETIME (1601) and that of JavaScript's time (1970). */
const EPOCH_MILLISECONDS = 11_644_473_600_000n;
const TICKS_PER_MILLISECOND = 10_000n;
/** For tickets that never end, and others that outlive any process. */
const LONGEST_SECONDS = 10 * 365 * 86_400;

/** Kerberos by Windows' SSPI. */
export function sspiLibrary(sspi: Sspi, now: () => Date): KerberosLibrary {
  return { converse: (wish) => new SspiConversation(wish, sspi, now) };
}

class SspiConversation implements KerberosConversation {
  readonly #wish: ConversationWish;
  readonly #sspi: Sspi;
  readonly #now: () => Date;
  #credential: SecHandle | undefined;
  #context: SecHandle | undefined;
  #sizes: MessageSizes | undefined;

  constructor(wish: ConversationWish, sspi: Sspi, now: () => Date) {
    this.#wish = wish;
    this.#sspi = sspi;
    this.#now = now;
  }

  origin(): readonly string[] {
    if (this.#wish.password !== undefined) return ["with the password given"];
    const who = this.#sspi.loggedOn();
    return [`the account that is logged on${who === undefined ? "" : `, ${who}`}`];
  }

  facts(): Record<string, never> {
    return {};
  }

  async step(token: Uint8Array | undefined, isWanted: () => void): Promise<Step> {
    try {
      isWanted();
      this.#credential ??= await this.#sspi.acquire(this.#identity());
      isWanted();
      const result = await this.#sspi.init({
        credential: this.#credential,
        context: this.#context,
        target: this.#wish.service,
        token,
      });
      this.#context = result.context;
      return {
        token: result.token,
        isComplete: result.isComplete,
        isAsWanted: (result.attributes & WANTED) === WANTED,
        seconds: secondsUntil(result.expiry, this.#now()),
      };
    } catch (error) {
      throw failure(error, token === undefined ? undefined : "prove");
    }
  }

  seal(clear: Uint8Array): SealedBody {
    return this.#with((context) => {
      this.#sizes ??= this.#sspi.sizes(context);
      const { token, data, padding } = this.#sspi.encrypt(context, clear, this.#sizes);
      // The header says whether there is filler at all; not every package says it with the size of its buffer.
      if (checkOwn(token).ec === 0) return { signature: token, data };
      return { signature: token, data: Buffer.concat([data, padding]), paddingLength: padding.length };
    });
  }

  open(sealed: SealedBody): Uint8Array {
    return this.#with((context) => {
      checkAnswer(sealed.signature);
      return this.#sspi.decrypt(context, sealed.signature, sealed.data);
    });
  }

  whoWeAre(): WhoWeAre | undefined {
    const agreed = this.#context === undefined ? undefined : this.#sspi.nameInContext(this.#context);
    if (agreed !== undefined) return { name: agreed, isAgreed: true };
    const name =
      this.#wish.account ??
      (this.#credential === undefined ? undefined : this.#sspi.nameInCredential(this.#credential)) ??
      this.#sspi.loggedOn();
    return name === undefined ? undefined : { name, isAgreed: false };
  }

  release(): void {
    const [context, credential] = [this.#context, this.#credential];
    this.#context = undefined;
    this.#credential = undefined;
    if (context !== undefined) this.#sspi.deleteContext(context);
    if (credential !== undefined) this.#sspi.freeCredential(credential);
  }

  /** Undefined: the account that is logged on; Windows has no other credentials without a password. */
  #identity(): AccountIdentity | undefined {
    const { account, password } = this.#wish;
    if (account === undefined || password === undefined) return undefined;
    const [domain, user] = account.includes("\\") ? account.split("\\", 2) : ["", account];
    return { user: user ?? "", domain: domain ?? "", password: Buffer.from(password.reveal(), "utf16le") };
  }

  #with<T>(call: (context: SecHandle) => T): T {
    if (this.#context === undefined) throw new Error("There is no context yet.");
    try {
      return call(this.#context);
    } catch (error) {
      throw failure(error);
    }
  }
}

function failure(error: unknown, operation?: Operation): unknown {
  return error instanceof SspiError ? sspiFailure(error, operation) : error;
}

/**
 * How long until a time that SSPI gives: 100 nanoseconds since 1601, in local time ("it is recommended that the security
 * package always return this value in local time", AcquireCredentialsHandle).
 */
export function secondsUntil(expiry: bigint, now: Date): number {
  const local = new Date(Number(expiry / TICKS_PER_MILLISECOND - EPOCH_MILLISECONDS));
  if (Number.isNaN(local.getTime())) return LONGEST_SECONDS;
  const moment = new Date(
    local.getUTCFullYear(),
    local.getUTCMonth(),
    local.getUTCDate(),
    local.getUTCHours(),
    local.getUTCMinutes(),
    local.getUTCSeconds(),
  );
  return Math.min(Math.floor((moment.getTime() - now.getTime()) / 1000), LONGEST_SECONDS);
}
