import { describe, it } from "node:test";
import { backendContract } from "pulumi-exchange-certificates/backend-contract";
import { createBackend } from "./adapter.cjs";

const open = async () => createBackend({ programDirectory: import.meta.dirname, say: () => undefined });

describe("our backend keeps the contract", () => {
  for (const { title, skip, run } of backendContract({ server: "ex01.contoso.com", open })) it(title, { skip }, run);
});
