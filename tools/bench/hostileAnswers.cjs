"use strict";

/** Answers of a server that are made to keep a client busy, each about as long as is asked for, and who reads them. */

const { randomUUID } = require("node:crypto");
const path = require("node:path");

const root = path.resolve(__dirname, "../..");
/** What is in lib/, whose place tsc doesn't need to know. */
const built = (/** @type {string} */ file) => require(path.join(root, "lib", file));

const { encodeFragment } = built("remoting/psrp/fragment.js");
const { encodeMessage } = built("remoting/psrp/message.js");
const { ClientRunspacePool, ServerRunspacePool } = built("remoting/psrp/runspacePool.js");
const { encodeReceiveResponse } = built("remoting/wsman/responses.js");
const { collect } = built("remoting/pipelineRun.js");
const { Shell } = built("remoting/shell.js");
const { remoteBackend } = built("backends/remote/remoteBackend.js");
const { string } = built("remoting/clixml/types.js");

const POOL = "76056a84-51dc-4f24-9262-ca2a55464b2b";
const PIPELINE = "e888e1df-c962-41d6-befd-f2c82d0abcca";

/** A message with that CLIXML in it, whatever it is. */
function message(/** @type {string} */ type, /** @type {string} */ xml) {
  const parts = { destination: "client", type, runspacePoolId: POOL, pipelineId: PIPELINE, value: undefined };
  return Buffer.concat([encodeMessage(parts), Buffer.from(xml, "utf8")]);
}

/** @param {Uint8Array[]} messages @param {number} [maxBlob] */
function fragments(messages, maxBlob = 32_768) {
  const all = [];
  for (const [index, blob] of messages.entries()) {
    for (let at = 0, fragment = 0n; at < blob.length; at += maxBlob, fragment += 1n) {
      const piece = blob.subarray(at, at + maxBlob);
      const isEnd = at + maxBlob >= blob.length;
      const head = { objectId: BigInt(index + 1), fragmentId: fragment, isStart: fragment === 0n, isEnd };
      all.push(encodeFragment({ ...head, blob: piece }));
    }
  }
  return all;
}

const output = (/** @type {string} */ xml) => message("PIPELINE_OUTPUT", xml);
const times = (/** @type {number} */ count, /** @type {(index: number) => string} */ make) =>
  Array.from({ length: count }, (_one, index) => make(index)).join("");

/** A certificate as Exchange sends it, with SerializationData made of that many records. */
function certificate(/** @type {number} */ records) {
  const int32 = (/** @type {number} */ value) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  };
  const header = [Buffer.of(0), int32(1), int32(-1), int32(1), int32(0)];
  const array = [Buffer.of(16), int32(1), int32(records), Buffer.alloc(records, 10), Buffer.of(11)];
  const data = Buffer.concat([...header, ...array]).toString("base64");
  const type = "<TN RefId='0'><T>Microsoft.Exchange.Management.SystemConfigurationTasks.ExchangeCertificate</T></TN>";
  const properties = `<BA N='RawData'>${Buffer.alloc(800, 48).toString("base64")}</BA><S N='Thumbprint'>${"A".repeat(40)}</S>`;
  return `<Obj RefId='0'>${type}<Props>${properties}</Props><MS><BA N='SerializationData'>${data}</BA></MS></Obj>`;
}

/**
 * What a server may put into answers of `bytes` bytes.
 *
 * @param {number} bytes
 * @returns {Record<string, string[]>} Envelopes by name.
 */
function hostileAnswers(bytes) {
  // Base64 takes a third more.
  const room = Math.floor((bytes * 3) / 4);
  const fill = (/** @type {string} */ one) => one.repeat(Math.floor(room / one.length));
  /** @type {Record<string, Uint8Array[]>} */
  const all = {
    "one text": fragments([output(`<S>${"x".repeat(room)}</S>`)]),
    "one text of escapes": fragments([output(`<S>${fill("_x000A_")}</S>`)]),
    "empty objects in a list": fragments([output(`<Obj><LST>${fill("<Obj/>")}</LST></Obj>`)]),
    "nulls in a list": fragments([output(`<Obj><LST>${fill("<Nil/>")}</LST></Obj>`)]),
    "properties of one object": fragments([
      output(`<Obj><MS>${times(Math.floor(room / 20), (index) => `<S N="p${index}">x</S>`)}</MS></Obj>`),
    ]),
    "objects in objects": fragments([
      output(`<Obj><LST>${fill(`${"<Obj><MS>".repeat(20)}${"</MS></Obj>".repeat(20)}`)}</LST></Obj>`),
    ]),
    "attributes of one element": fragments([
      output(`<S ${times(Math.floor(room / 12), (index) => `a${index}="" `)}/>`),
    ]),
    "small outputs": fragments(Array.from({ length: Math.floor(room / 90) }, () => output("<S>x</S>"))),
    "outputs byte by byte": fragments([output(`<S>${"x".repeat(Math.floor(room / 22))}</S>`)], 1),
    errors: fragments(
      Array.from({ length: Math.floor(room / 400) }, () =>
        message("ERROR_RECORD", `<Obj><MS>${times(10, (index) => `<S N="p${index}">x</S>`)}</MS></Obj>`),
      ),
    ),
    certificates: fragments(Array.from({ length: Math.floor(room / 1900) }, () => output(certificate(100)))),
    "certificates of many records": fragments(
      Array.from({ length: Math.floor(room / 28_000) }, () => output(certificate(19_000))),
    ),
  };
  return Object.fromEntries(Object.entries(all).map(([name, pieces]) => [name, answersOf(pieces)]));
}

/**
 * The answers to two Receives, made beforehand: that is the server's work and not ours.
 *
 * @param {Uint8Array[]} pieces
 * @returns {string[]}
 */
function answersOf(pieces) {
  const end = fragments([message("PIPELINE_STATE", '<Obj><MS><I32 N="PipelineState">4</I32></MS></Obj>')]);
  const header = { messageId: POOL, relatesTo: "uuid:REQUEST" };
  return [pieces, end].map((one) => encodeReceiveResponse(header, { commandId: PIPELINE, fragments: one }));
}

/** A pipeline's answer, read as a session does. */
async function read(/** @type {string[]} */ answers) {
  const client = new ClientRunspacePool({ id: POOL, host: "prompts" });
  const server = new ServerRunspacePool({ randomBytes: (/** @type {number} */ count) => Buffer.alloc(count) });
  client.open();
  for (let next = client.take(50_000); next !== undefined; next = client.take(50_000)) {
    server.receive(next.stream, next.bytes);
  }
  server.accept([["PSVersionTable", string("5.1")]]);
  for (let next = server.take(50_000); next !== undefined; next = server.take(50_000)) client.receive(next.bytes);
  const pipeline = client.createPipeline(PIPELINE, [{ name: "Get-ExchangeCertificate", parameters: {} }]);
  pipeline.take(100_000);
  const waiting = [...answers];
  let request = "";
  const connection = {
    trace: undefined,
    post: () => Promise.resolve((waiting.shift() ?? "").replace("uuid:REQUEST", `uuid:${request}`)),
  };
  const shell = new Shell({
    to: "https://ex01.contoso.com/PowerShell/",
    resourceUri: "http://schemas.microsoft.com/powershell/Microsoft.Exchange",
    operationTimeoutSeconds: 20,
    idleTimeoutSeconds: 60,
    newGuid: () => (request = randomUUID()),
    now: () => new Date(),
  });
  const { signal } = new AbortController();
  // The answer to Create is lost; the shell is taken to be there.
  const lost = { trace: undefined, post: () => Promise.reject(new Error("lost")) };
  await shell.create(lost, POOL, () => new Uint8Array(), signal).catch(() => undefined);
  return collect({
    shell,
    connection,
    pipeline,
    commandId: PIPELINE,
    signal,
    answer: () => undefined,
    trace: undefined,
  });
}

/**
 * Reads a server through the backend; every cmdlet gets that answer. What is refused is refused.
 *
 * @param {string[]} answers
 */
async function readServer(answers) {
  const session = {
    isUsable: true,
    run: () => read(answers),
    close: () => Promise.resolve(),
    renewConnections: () => {},
  };
  const backend = remoteBackend("https://{server}/PowerShell/", {
    open: () => Promise.resolve(session),
    pause: () => Promise.resolve(),
    retryDelaysMilliseconds: [],
  });
  const { observeServer } = built("observe.js");
  const options = { signal: new AbortController().signal };
  return observeServer(backend, "ex01.contoso.com", options).then(
    () => "read",
    (/** @type {{ code?: string, message: string }} */ error) =>
      `${error.code ?? "failed"}: ${error.message.slice(0, 120)}`,
  );
}

module.exports = { hostileAnswers, readServer };
