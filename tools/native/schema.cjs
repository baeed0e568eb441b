"use strict";

/**
 * The schema of the native plugin, made from the declarations that TypeScript programs are checked against: the inputs
 * of provider/args.ts and the outputs of the resource class, with their comments. So there is one description of each.
 */

const fs = require("node:fs");
const path = require("node:path");
const ts = require("typescript");

const root = path.join(__dirname, "..", "..");
const TOKEN = "exchange:index:ExchangeCertificateBinding";
/** The inputs of the class that TypeScript doesn't declare as outputs keep their secrets out of the state's outputs. */
const SOURCES = "CertificateSource";
/** Outputs that are there whatever the server told. */
const ALWAYS = [
  "server",
  "services",
  "thumbprint",
  "takenOver",
  "staysBehind",
  "supersedes",
  "followUps",
  "followUpTasks",
  "backend",
  "stateVersion",
];

/** @typedef {Record<string, unknown>} Json */

/**
 * What of it stands in code and not in types.
 *
 * @typedef {object} Facts
 * @property {string} version
 * @property {Readonly<Record<string, unknown>>} defaults Inputs, and what each means where it is left out.
 * @property {(part: string) => boolean} isSecret Whether a part of a certificate source is.
 * @property {readonly string[]} settings Names below `exchange:`.
 * @property {string} [repository] The address of the package's repository, as package.json has it.
 */

/** @type {Readonly<Record<string, Json>>} */
const SETTINGS = {
  backend: text(
    "Where the servers are: `remote` (real servers, through their remote PowerShell), `simulator` (a simulated organisation in a file), or a module with an adapter of your own. There is no default.",
  ),
  simulatorFile: text("The simulated organisation's file. Default: `.exchange-simulator.json`."),
  servers: {
    type: "array",
    items: { type: "string" },
    description: "Servers to read ahead, side by side, by their fully qualified names.",
  },
  offline: { type: "boolean", description: "True: no call at all; previews plan from the last known state." },
  onUnreachable: text("What a preview does when a server can't be asked: `fail` (default) or `continue`."),
  endpoint: text("URL of the servers' remote PowerShell; `{server}` stands for the server's name."),
  authentication: text("`kerberos` (default) or `basic`."),
  username: text("Who asks the servers. Kerberos without one uses the ticket cache or a keytab."),
  password: { ...text("The password of `username`."), secret: true },
  tlsServerName: text("The name that the endpoint's certificate is checked against. Default: the URL's host."),
  caFile: text("A PEM file with the authorities to trust instead of the usual ones."),
  maxConnectionsPerServer: { type: "integer", description: "Connections to one server at once. Default 2." },
  operationTimeoutSeconds: { type: "integer", description: "How long one answer may take, seconds. Default 20." },
  dangerouslySkipTlsVerification: {
    type: "boolean",
    description: "True: whoever is in between can read and change everything, passwords included. For a lab only.",
  },
};

/** @param {string} description */
function text(description) {
  return { type: "string", description };
}

/**
 * @param {Facts} facts
 * @returns {Json}
 */
function makeSchema(facts) {
  const unknownSettings = facts.settings.filter((key) => SETTINGS[key] === undefined);
  if (unknownSettings.length > 0)
    throw new Error(`tools/native/schema.cjs doesn't describe ${unknownSettings.join(", ")}`);
  const settings = Object.fromEntries(facts.settings.map((key) => [key, SETTINGS[key]]));
  const args = parse("provider/args.ts");
  const binding = parse("provider/exchangeCertificateBinding.ts");
  /** @type {Record<string, Json>} */
  const types = {};
  const reader = new Reader(args, types, facts.isSecret);
  const inputs = reader.inputs(facts.defaults);
  const resourceClass = binding.statements.find(ts.isClassDeclaration);
  if (resourceClass === undefined) throw new Error("no class in provider/exchangeCertificateBinding.ts");
  const outputs = reader.outputs(resourceClass);
  const functions = new Reader(parse("provider/lifecycle/seenServer.ts"), types, () => false);
  return {
    name: "exchange",
    displayName: "Exchange certificates",
    version: facts.version,
    description: "Which certificate serves which services on which on-premises Exchange server.",
    keywords: ["pulumi", "exchange", "certificate", "kind/native", "category/infrastructure"],
    license: "Apache-2.0",
    // Otherwise generated packages name Pulumi as their author.
    publisher: "pulumi-exchange-certificates",
    ...downloadFrom(facts.repository),
    config: { variables: settings },
    provider: {
      description:
        "How the Exchange servers are reached. What is given here comes before the environment's EXCHANGE_ variables.",
      inputProperties: settings,
    },
    types,
    resources: {
      [TOKEN]: {
        description: docOf(resourceClass)
          .replace(/\n\n```ts[\s\S]*?```/, "")
          .replace(/\{@link [\w.]*?(\w+)\}/g, "`$1`"),
        inputProperties: inputs.properties,
        requiredInputs: inputs.required,
        properties: outputs,
        required: ALWAYS,
        aliases: [{ type: "pulumi-nodejs:dynamic/exchange:ExchangeCertificateBinding" }],
      },
    },
    functions: {
      "exchange:index:getServer": functions.asked(
        "One server as a preview sees it: its certificates, and what names them.",
        "GetServerArgs",
        "SeenServer",
      ),
      "exchange:index:getCertificate": functions.asked(
        "One certificate on a server, by its thumbprint, its friendly name, or a name that it is for.",
        "GetCertificateArgs",
        "FoundCertificate",
      ),
    },
    language: {
      nodejs: { packageName: "pulumi-exchange", respectSchemaVersion: true },
      python: { packageName: "pulumi_exchange", respectSchemaVersion: true, pyproject: { enabled: true } },
      go: { importBasePath: "pulumi-exchange/sdk/go/exchange", respectSchemaVersion: true },
      csharp: { rootNamespace: "Pulumi", respectSchemaVersion: true },
    },
  };
}

/**
 * Where the engine gets a plugin that isn't installed: the repository's releases. Without a repository nothing is said,
 * because whoever owns an address that was guessed would have their program run with the rights of an administrator of
 * Exchange. Pulumi then looks at its own addresses, finds nothing, and says so.
 *
 * @param {string | undefined} repository
 */
function downloadFrom(repository) {
  if (repository === undefined) return {};
  const [, owner, name] = /github\.com[/:]([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(repository) ?? [];
  if (owner === undefined) throw new Error(`tools/native/schema.cjs doesn't know where ${repository} has its releases`);
  return { pluginDownloadURL: `github://api.github.com/${owner}/${name}` };
}

class Reader {
  /**
   * @param {import("typescript").SourceFile} args
   * @param {Record<string, Json>} types Gets the types that are met.
   * @param {(part: string) => boolean} isSecret
   */
  constructor(args, types, isSecret) {
    this.interfaces = new Map(args.statements.filter(ts.isInterfaceDeclaration).map((one) => [one.name.text, one]));
    this.aliases = new Map(args.statements.filter(ts.isTypeAliasDeclaration).map((one) => [one.name.text, one]));
    this.types = types;
    this.isSecret = isSecret;
  }

  /** @param {Readonly<Record<string, unknown>>} defaults */
  inputs(defaults) {
    const declared = this.interfaces.get("ExchangeCertificateBindingArgs");
    if (declared === undefined) throw new Error("no ExchangeCertificateBindingArgs in provider/args.ts");
    const { properties, required } = this.members(declared.members);
    for (const [key, value] of Object.entries(defaults)) {
      const property = properties[key];
      if (property === undefined) throw new Error(`the default of ${key} belongs to no input`);
      property["default"] = value;
    }
    const { server } = properties;
    if (server !== undefined) server["replaceOnChanges"] = true;
    return { properties, required };
  }

  /** @param {import("typescript").ClassDeclaration} declared */
  outputs(declared) {
    const fields = declared.members
      .filter(ts.isPropertyDeclaration)
      .filter((one) => one.modifiers?.some((modifier) => modifier.kind === ts.SyntaxKind.DeclareKeyword));
    return Object.fromEntries(fields.map((one) => [nameOf(one), this.property(one)]));
  }

  /**
   * A function of the plugin.
   *
   * @param {string} description
   * @param {string} asked The interface of its arguments.
   * @param {string} answered
   * @returns {Json}
   */
  asked(description, asked, answered) {
    const [inputs, outputs] = [asked, answered].map((name) => this.ofInterface(name));
    return { description, inputs: { type: "object", ...inputs }, outputs: { type: "object", ...outputs } };
  }

  /**
   * With what it inherits.
   *
   * @param {string} name
   * @returns {{ properties: Record<string, Json>, required: string[] }}
   */
  ofInterface(name) {
    const declared = this.interfaces.get(name);
    if (declared === undefined) throw new Error(`${name} isn't declared`);
    const parents = (declared.heritageClauses ?? []).flatMap(({ types }) => types.map((one) => one.getText()));
    const all = [...parents.map((one) => this.ofInterface(one)), this.members(declared.members)];
    return {
      properties: Object.assign({}, ...all.map(({ properties }) => properties)),
      required: all.flatMap(({ required }) => required),
    };
  }

  /** @param {import("typescript").NodeArray<import("typescript").TypeElement>} members */
  members(members) {
    const signatures = members.filter(ts.isPropertySignature);
    return {
      properties: Object.fromEntries(signatures.map((one) => [nameOf(one), this.property(one)])),
      required: signatures.filter((one) => one.questionToken === undefined).map(nameOf),
    };
  }

  /** @param {import("typescript").PropertySignature | import("typescript").PropertyDeclaration} declared */
  property(declared) {
    const name = nameOf(declared);
    if (declared.type === undefined) throw new Error(`${name} has no type`);
    const description = docOf(declared);
    /** @type {Json} */
    const property = { ...this.type(declared.type, name), ...(description === "" ? {} : { description }) };
    if (this.isSecret(name)) property["secret"] = true;
    return property;
  }

  /**
   * @param {import("typescript").TypeNode} node
   * @param {string} name Of the property, which names a type that has no name of its own.
   * @returns {Json}
   */
  type(node, name) {
    switch (node.kind) {
      case ts.SyntaxKind.StringKeyword:
        return { type: "string" };
      case ts.SyntaxKind.NumberKeyword:
        return { type: "integer" };
      case ts.SyntaxKind.BooleanKeyword:
        return { type: "boolean" };
      default:
    }
    if (ts.isArrayTypeNode(node)) return { type: "array", items: this.type(node.elementType, name) };
    if (ts.isTypeLiteralNode(node)) return this.object(name, this.members(node.members), "");
    if (ts.isUnionTypeNode(node)) return this.union(node, name);
    if (!ts.isTypeReferenceNode(node)) throw new Error(`${name}: a type that the schema can't tell`);
    const reference = node.typeName.getText();
    const [inner] = node.typeArguments ?? [];
    if (inner !== undefined) return this.type(inner, name);
    if (this.interfaces.has(reference)) {
      const doc = docOf(/** @type {import("typescript").Node} */ (this.interfaces.get(reference)));
      return this.object(reference, this.ofInterface(reference), doc);
    }
    const alias = this.aliases.get(reference) ?? (reference === "ServiceName" ? undefined : null);
    if (alias === null) return { $ref: "pulumi.json#/Any" };
    if (alias === undefined) throw new Error(`${reference} isn't declared in provider/args.ts`);
    return ts.isUnionTypeNode(alias.type)
      ? this.enumeration(reference, alias.type, docOf(alias))
      : this.type(alias.type, name);
  }

  /**
   * Texts to choose from; forms of one value; or objects, of which exactly one is given: in one type with all of their
   * parts, because not every language has a choice of objects.
   *
   * @param {import("typescript").UnionTypeNode} node
   * @param {string} name
   */
  union(node, name) {
    if (node.types.every((one) => ts.isLiteralTypeNode(one))) return this.enumeration(typeNameOf(name), node, "");
    if (!node.types.every((one) => this.interfaces.has(one.getText())))
      return { oneOf: node.types.map((one) => this.type(one, name)) };
    const sources = node.types.map((one) => {
      const declared = this.interfaces.get(one.getText());
      if (declared === undefined) throw new Error(`${name}: ${one.getText()} isn't declared in provider/args.ts`);
      return declared;
    });
    /** @type {Record<string, Json>} */
    const properties = {};
    for (const source of sources) {
      for (const [key, property] of Object.entries(this.members(source.members).properties)) {
        const inherited = property["description"] ?? docOf(source);
        properties[key] ??= { ...property, description: inherited };
      }
    }
    return this.object(SOURCES, { properties, required: [] }, "A certificate: exactly one source.");
  }

  /**
   * @param {string} name
   * @param {import("typescript").UnionTypeNode} node
   * @param {string} description
   */
  enumeration(name, node, description) {
    const values = node.types.map((one) => one.getText().replaceAll('"', ""));
    this.types[`exchange:index:${name}`] = {
      type: "string",
      ...(description === "" ? {} : { description }),
      enum: values.map((value) => ({ name: typeNameOf(value), value })),
    };
    return { $ref: `#/types/exchange:index:${name}` };
  }

  /**
   * @param {string} name
   * @param {{ properties: Record<string, Json>, required: readonly string[] }} members
   * @param {string} description
   */
  object(name, members, description) {
    const typeName = typeNameOf(name);
    this.types[`exchange:index:${typeName}`] = {
      type: "object",
      ...(description === "" ? {} : { description }),
      ...members,
    };
    return { $ref: `#/types/exchange:index:${typeName}` };
  }
}

/** @param {string} file */
function parse(file) {
  return ts.createSourceFile(file, fs.readFileSync(path.join(root, file), "utf8"), ts.ScriptTarget.ES2022, true);
}

/** @param {import("typescript").PropertySignature | import("typescript").PropertyDeclaration} declared */
function nameOf(declared) {
  return declared.name.getText();
}

/** @param {string} name */
function typeNameOf(name) {
  return name.slice(0, 1).toUpperCase() + name.slice(1);
}

/**
 * The comment in front of a declaration, as one text.
 *
 * @param {import("typescript").Node} node
 */
function docOf(node) {
  const [comment] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  return (ts.getTextOfJSDocComment(comment?.comment) ?? "").trim();
}

module.exports = { makeSchema };
