// Proves that the names are ours: a file that the authority fetches from http://<name>/.well-known/acme-challenge/.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";

const folder = path.join(process.env["ACME_WEBROOT"] ?? "webroot", ".well-known", "acme-challenge");

export async function put(token, answer) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, token), answer);
}

export async function remove(token) {
  rmSync(path.join(folder, token), { force: true });
}
