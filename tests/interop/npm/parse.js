// Prints what AsyncAPI's own parser has against a document, and how much it found in it.
import { readFile } from "node:fs/promises";
import { Parser } from "@asyncapi/parser";

const text = await readFile(process.argv[2], "utf8");
const { document, diagnostics } = await new Parser().parse(text);
for (const { severity, code, message, path } of diagnostics) {
  if (severity < 2) console.log("against", code, message, path.join("."));
}
const operations = document?.operations().all() ?? [];
console.log("operations", operations.length, "replies", operations.filter((one) => one.reply()).length);
console.log("messages", document?.components().messages().all().length ?? 0);
