import { atOnce } from "../../provider/remoting/steps";
import { generateKeyPairSync } from "node:crypto";
import fc from "fast-check";
import {
  readCertificateProjection,
  readExchangeCertificate,
} from "../../provider/backends/remote/exchangeCertificateObject";
import { cmdletFailure, codeOfRecord } from "../../provider/backends/remote/exchangeErrors";
import { readNrbf } from "../../provider/backends/remote/nrbf";
import { overwriteRule } from "../../provider/backends/remote/overwriteQuestion";
import { readSerializationData } from "../../provider/backends/remote/serializationData";
import { readCall } from "../../provider/backends/simulator/endpoint/receivedCall";
import { authoritiesIn } from "../../provider/certificate/authorities";
import { MAX_ROUNDS } from "../../provider/certificate/pbe";
import { readPemHere } from "../../provider/certificate/pem";
import { readPfxHere } from "../../provider/certificate/pfx";
import { recogniseFile, recogniseText } from "../../provider/certificate/recognise";
import { describeStranger } from "../../provider/certificate/strangers";
import { isBindingError } from "../../provider/errors";
import { decodeClixml, decodeClixmlValue } from "../../provider/remoting/clixml/decode";
import { encodeClixml, encodeClixmlDocument } from "../../provider/remoting/clixml/encode";
import { displayOf, instantOf, propertyOf } from "../../provider/remoting/clixml/reading";
import type { ClixmlValue } from "../../provider/remoting/clixml/types";
import { isRemotingError, RemotingError } from "../../provider/remoting/errors";
import type { BodySealing } from "../../provider/remoting/http/authentication";
import { CookieJar } from "../../provider/remoting/http/cookies";
import { decryptBody, encryptBody } from "../../provider/remoting/http/multipart";
import { decodeErrorRecord } from "../../provider/remoting/psrp/errorRecord";
import { Defragmenter, encodeFragment, FragmentWriter, ObjectIds } from "../../provider/remoting/psrp/fragment";
import { choicePromptOf, decodeHostCall, decodeHostResponse } from "../../provider/remoting/psrp/hostCall";
import { ClientRunspacePool, ServerRunspacePool } from "../../provider/remoting/psrp/runspacePool";
import { ACTIONS, type Operation } from "../../provider/remoting/wsman/names";
import { decodeRequest } from "../../provider/remoting/wsman/requests";
import { decodeResponse } from "../../provider/remoting/wsman/responses";
import { decodeUtf8 } from "../../provider/remoting/xml";
import { Secret } from "../../provider/secret";
import { anyValue } from "../remoting/clixml/anyValue";
import { turning } from "../remoting/http/turning";
import type { Random } from "./random";
import * as seeds from "./seeds";

/** One reader of what others send. */
export interface Target {
  readonly name: string;
  readonly corpus: () => readonly Uint8Array[];
  /** Where XML begins in an input; `undefined` when there is none. */
  readonly xmlFrom: number | undefined;
  /** A valid input of random values. */
  readonly build?: (random: Random) => Uint8Array;
  /**
   * Reads an input. Returns what became of it; throws what a reader may throw (a RemotingError) and, when something is
   * wrong, anything else.
   */
  readonly read: (input: Uint8Array) => string;
}

const utf8 = (text: string): Uint8Array => Buffer.from(text, "utf8");
const FULL_MESSAGE_HEADER = 40;

function valueFrom(random: Random): ClixmlValue {
  const [value] = fc.sample(anyValue, { numRuns: 1, seed: random.next() });
  if (value === undefined) throw new Error("There is no value.");
  return value;
}

/** Goes through everything that was decoded, each object once. */
function walk(value: ClixmlValue, seen = new Set<ClixmlValue>()): void {
  if (seen.has(value)) return;
  seen.add(value);
  displayOf(value);
  instantOf(value);
  if (value.kind !== "Obj") return;
  const { content } = value;
  const inside = [
    ...value.adapted.values(),
    ...value.extended.values(),
    ...(content === undefined
      ? []
      : content.kind === "primitive"
        ? [content.value]
        : content.kind === "DCT"
          ? content.entries.flat()
          : content.items),
  ];
  for (const one of inside) walk(one, seen);
}

const clixml: Target = {
  name: "clixml",
  corpus: seeds.clixmlDocuments,
  xmlFrom: 0,
  build: (random) => utf8(encodeClixmlDocument([valueFrom(random), valueFrom(random)])),
  read: (input) => {
    const values = decodeClixml(input);
    const seen = new Set<ClixmlValue>();
    for (const value of values) walk(value, seen);
    let again: string;
    try {
      again = encodeClixmlDocument(values);
    } catch (error) {
      // Stubs, and values that references nest deeper than any document, have no written form.
      if (isRemotingError(error, "XmlUnwritable")) return "accepted, not writable";
      throw error;
    }
    if (decodeClixml(again).length !== values.length) throw new Error("what was written isn't read the same");
    return "accepted";
  },
};

/** One fragment with the whole message in it. */
const whole = (message: Uint8Array): Uint8Array =>
  encodeFragment({ objectId: 9n, fragmentId: 0n, isStart: true, isEnd: true, blob: message });

/** A message of random content, of the type and pipeline of one of the corpus. */
function messageFrom(random: Random, corpus: () => readonly Uint8Array[]): Uint8Array {
  const head = random.pick(corpus()).subarray(0, FULL_MESSAGE_HEADER);
  return Buffer.concat([head, utf8(encodeClixml(valueFrom(random)))]);
}

function openedClient(): ClientRunspacePool {
  const pool = new ClientRunspacePool({ id: seeds.POOL, host: "prompts" });
  pool.open();
  pool.take(100_000);
  for (const index of [0, 2]) pool.receive(whole(CLIENT_POOL_CORPUS()[index] ?? new Uint8Array()));
  return pool;
}

/** Read once: the corpus may come from files. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

const CLIENT_POOL_CORPUS = once(seeds.clientPoolMessages);
const CLIENT_PIPELINE_CORPUS = once(seeds.clientPipelineMessages);
const SERVER_CORPUS = once(seeds.serverMessages);
const KEY_PAIR = once(() => generateKeyPairSync("rsa", { modulusLength: 2048 }));
const randomBytes = (count: number): Uint8Array => new Uint8Array(count).fill(0x35);

const clientPool: Target = {
  name: "clientPool",
  corpus: CLIENT_POOL_CORPUS,
  xmlFrom: FULL_MESSAGE_HEADER,
  build: (random) => messageFrom(random, CLIENT_POOL_CORPUS),
  read: (input) => {
    const pool = openedClient();
    pool.exchangeKeys(KEY_PAIR());
    const events = pool.receive(whole(input));
    for (const event of events) {
      if (event.kind === "hostCall" && !event.call.isVoid) pool.refuse(event.call, "nobody is there");
    }
    while (pool.take(1000) !== undefined);
    return events.map(({ kind }) => kind).join(" ");
  },
};

const clientPipeline: Target = {
  name: "clientPipeline",
  corpus: CLIENT_PIPELINE_CORPUS,
  xmlFrom: FULL_MESSAGE_HEADER,
  build: (random) => messageFrom(random, CLIENT_PIPELINE_CORPUS),
  read: (input) => {
    const pipeline = openedClient().createPipeline(seeds.PIPELINE, [{ name: "Get-X", parameters: {} }]);
    const events = pipeline.receive(whole(input));
    for (const event of events) {
      if (event.kind !== "hostCall" || event.call.isVoid) continue;
      const answer = overwriteRule("38F3DAA4F7A4A5ED2D6D2B8A9A8A2D1F3C0E4B5A", false)(event.call);
      if (answer === undefined) pipeline.refuse(event.call, "nobody is there");
      else pipeline.respond(event.call, answer);
    }
    while (pipeline.take(1000) !== undefined);
    return events.map(({ kind }) => kind).join(" ");
  },
};

function openedServer(): ServerRunspacePool {
  const pool = new ServerRunspacePool({ randomBytes });
  for (const index of [0, 1]) pool.receive("stdin", whole(SERVER_CORPUS()[index] ?? new Uint8Array()));
  pool.accept();
  return pool;
}

const serverPool: Target = {
  name: "serverPool",
  corpus: SERVER_CORPUS,
  xmlFrom: FULL_MESSAGE_HEADER,
  build: (random) => messageFrom(random, SERVER_CORPUS),
  read: (input) => {
    const pool = openedServer();
    const events = pool.receive("stdin", whole(input));
    while (pool.take(1000) !== undefined);
    return events.map(({ kind }) => kind).join(" ");
  },
};

const serverPipeline: Target = {
  name: "serverPipeline",
  corpus: SERVER_CORPUS,
  xmlFrom: FULL_MESSAGE_HEADER,
  build: (random) => messageFrom(random, SERVER_CORPUS),
  read: (input) => {
    const pool = openedServer();
    const events = pool.createPipeline(seeds.PIPELINE).receive("stdin", whole(input));
    const calls = events.map((event) =>
      event.kind === "create"
        ? readCall(event.request, "allowed", (cipherText) => pool.decrypt(cipherText)).kind
        : event.kind,
    );
    return calls.join(" ");
  },
};

/** The first byte says where else the stream is cut; the messages have to be the same. */
const fragments: Target = {
  name: "fragments",
  corpus: () => {
    const writer = new FragmentWriter(new ObjectIds());
    for (const message of [...CLIENT_POOL_CORPUS(), ...SERVER_CORPUS()]) writer.add(message.subarray(0, 300), "stdin");
    const pieces: Uint8Array[] = [];
    for (let next = writer.take(120); next !== undefined; next = writer.take(120)) pieces.push(next.bytes);
    return [7, 100].map((step) => Buffer.concat([Buffer.of(step), ...pieces.slice(0, 12)]));
  },
  xmlFrom: undefined,
  build: (random) => {
    const writer = new FragmentWriter(new ObjectIds());
    const messages = Array.from({ length: 1 + random.below(4) }, () =>
      new Uint8Array(random.below(200)).fill(random.next()),
    );
    for (const message of messages) writer.add(message, "stdin");
    const pieces: Uint8Array[] = [Uint8Array.of(random.below(256))];
    for (
      let next = writer.take(22 + random.below(100));
      next !== undefined;
      next = writer.take(22 + random.below(100))
    ) {
      pieces.push(next.bytes);
    }
    return Buffer.concat(pieces);
  },
  read: (input) => {
    const stream = input.subarray(1);
    const read = (step: number): { readonly messages: string[]; readonly failure: string } => {
      const defragmenter = new Defragmenter();
      const messages: string[] = [];
      try {
        for (let at = 0; at < stream.length; at += step) {
          const got = defragmenter.push(stream.subarray(at, at + step));
          messages.push(...got.map((one) => Buffer.from(one).toString("latin1")));
        }
        return { messages, failure: "" };
      } catch (error) {
        if (isRemotingError(error, "FragmentInvalid")) return { messages, failure: error.message };
        throw error;
      }
    };
    const one = read(1);
    const other = read(1 + (input[0] ?? 0));
    if (one.failure !== other.failure) throw new Error("it depends on where the stream is cut");
    if (one.failure !== "") throw new RemotingError("FragmentInvalid", one.failure);
    if (one.messages.join("|") !== other.messages.join("|"))
      throw new Error("messages depend on where the stream is cut");
    return "accepted";
  },
};

const OPERATIONS = Object.keys(ACTIONS) as Operation[];

const soapResponse: Target = {
  name: "soapResponse",
  corpus: seeds.soapResponses,
  xmlFrom: 0,
  read: (input) => {
    const xml = decodeUtf8(input);
    // As the operation that it claims to answer: else nearly everything would be refused for that reason alone.
    const operation = OPERATIONS.find((one) => xml.includes(`/${one}Response`)) ?? "Receive";
    return atOnce(decodeResponse(xml, { operation, messageId: seeds.REQUEST })).kind;
  },
};

const soapRequest: Target = {
  name: "soapRequest",
  corpus: seeds.soapRequests,
  xmlFrom: 0,
  read: (input) => decodeRequest(decodeUtf8(input)).body.kind,
};

const serialization: Target = {
  name: "serializationData",
  corpus: seeds.serializationData,
  xmlFrom: undefined,
  build: seeds.anySerializationData,
  read: (input) => {
    readNrbf(input);
    const reading = readSerializationData(input);
    return reading.kind === "unreadable" ? `unreadable: ${reading.reason.replace(/[-\d.]+/g, "#")}` : "accepted";
  },
};

const certificates: Target = {
  name: "certificateObjects",
  corpus: seeds.certificateObjects,
  xmlFrom: 0,
  build: seeds.anyCertificateObject,
  read: (input) => {
    const outcomes = decodeClixml(input).map((value) => {
      readCertificateProjection(value);
      try {
        return readExchangeCertificate(value).displayedServices.kind;
      } catch (error) {
        if (isBindingError(error) && error.code === "CertificateUnreadable") return error.code;
        throw error;
      }
    });
    return outcomes.includes("CertificateUnreadable") ? "CertificateUnreadable" : "accepted";
  },
};

const errors: Target = {
  name: "errorsAndHostCalls",
  corpus: seeds.errorRecords,
  xmlFrom: 0,
  build: (random) => utf8(encodeClixml(valueFrom(random))),
  read: (input) => {
    const value = decodeClixmlValue(input);
    const record = decodeErrorRecord(value);
    codeOfRecord(record);
    const attempt = { doing: "Reading", server: "ex01.contoso.com", cmdlet: "Get-X" };
    const result = { state: "Failed", output: [], errors: [record], warnings: [] } as const;
    if (cmdletFailure(attempt, result).message === "") throw new Error("an error without a message");
    if (propertyOf(value, "ci") === undefined) return "error record";
    decodeHostResponse(value);
    return choicePromptOf(decodeHostCall(value)) === undefined ? "host call" : "prompt";
  },
};

/** A sealing that refuses as the real one does. */
const sealing: BodySealing = {
  ...turning,
  open: (sealed) => {
    const { signature, data } = turning.seal(turning.seal(sealed.data).data);
    if (!Buffer.from(signature).equals(Buffer.from(sealed.signature)) && sealed.signature.length !== 4) {
      throw new RemotingError("HttpUnexpected", "The signature is wrong.");
    }
    return data;
  },
};

const multipart: Target = {
  name: "multipart",
  corpus: () =>
    ["", "<a/>", "--Encrypted Boundary--\r\n", "x".repeat(500)].map((text) => encryptBody(turning, utf8(text)).body),
  xmlFrom: undefined,
  build: (random) =>
    encryptBody(
      turning,
      Uint8Array.from({ length: random.below(300) }, () => random.below(256)),
    ).body,
  read: (input) => {
    decryptBody(sealing, input);
    return "accepted";
  },
};

const cookies: Target = {
  name: "cookies",
  corpus: () =>
    [
      "MS-WSMAN=contoso\\admin=VGVzdA==; path=/powershell; secure; HttpOnly",
      "X-BackEndCookie=abc; expires=Tue, 24-Nov-2026 01:00:00 GMT; path=/PowerShell/; Max-Age=10",
    ].map(utf8),
  xmlFrom: undefined,
  read: (input) => {
    const jar = new CookieJar();
    const url = new URL("https://ex01.contoso.com/PowerShell/");
    jar.store(Buffer.from(input).toString("latin1").split("\n"), url, new Date(0));
    return jar.header(url) === undefined ? "nothing kept" : "accepted";
  },
};

/** A refusal of a file counts as refused, anything else is a finding. */
function refusedOr(read: () => unknown): string {
  try {
    read();
    return "accepted";
  } catch (error) {
    if (isBindingError(error)) return `unreadable: ${error.code}`;
    throw error;
  }
}

const pfx: Target = {
  name: "pfx",
  corpus: seeds.pfxFiles,
  xmlFrom: undefined,
  read: (input) =>
    // A changed number may ask for millions of rounds, which are allowed and run in a thread that can be ended.
    asksForManyRounds(input)
      ? "unreadable: left out"
      : refusedOr(() => readPfxHere(new Secret(input), new Secret(seeds.FILE_PASSWORD))),
};

/** Those of the seeds, and somewhat more. */
const MANY_ROUNDS = 10_000;

/** Whether a number that may be taken for rounds is large, and yet allowed. */
function asksForManyRounds(input: Uint8Array): boolean {
  const bytes = Buffer.from(input);
  for (let at = 0; at + 4 < bytes.length; at++) {
    const length = bytes[at + 1] ?? 0;
    // An INTEGER of two to four bytes.
    if (bytes[at] !== 0x02 || length < 2 || length > 4 || at + 2 + length > bytes.length) continue;
    if (bytes.readUIntBE(at + 2, length) > MANY_ROUNDS && bytes.readUIntBE(at + 2, length) <= MAX_ROUNDS) return true;
  }
  return false;
}

const pem: Target = {
  name: "pem",
  corpus: seeds.pemFiles,
  xmlFrom: undefined,
  read: (input) => refusedOr(() => readPemHere({ certificate: input, privateKey: new Secret(input) })),
};

const recogniser: Target = {
  name: "recogniser",
  corpus: seeds.anyFiles,
  xmlFrom: undefined,
  read: (input) => {
    const found = recogniseFile(input);
    recogniseText(Buffer.from(input).toString("latin1"));
    authoritiesIn(input);
    if (found.kind !== "stranger") return "accepted";
    if (describeStranger(found.stranger) === "") throw new Error("a stranger without a description");
    return `unreadable: ${found.stranger}`;
  },
};

export const TARGETS: readonly Target[] = [
  clixml,
  clientPool,
  clientPipeline,
  serverPool,
  serverPipeline,
  fragments,
  soapResponse,
  soapRequest,
  serialization,
  certificates,
  errors,
  multipart,
  cookies,
  pfx,
  pem,
  recogniser,
];
