// Writes Go types of all JSON Schemas in a folder: node types.js FOLDER PACKAGE
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { FetchingJSONSchemaStore, InputData, JSONSchemaInput, quicktype } from "quicktype-core";

const [folder, name] = process.argv.slice(2);
const schemas = new JSONSchemaInput(new FetchingJSONSchemaStore());
for (const file of (await readdir(folder)).sort()) {
  const schema = await readFile(join(folder, file), "utf8");
  await schemas.addSource({ name: file.split(".")[0], schema });
}
const inputData = new InputData();
inputData.addInput(schemas);
const rendererOptions = { package: name, "just-types-and-package": "true" };
const { lines } = await quicktype({ inputData, lang: "go", rendererOptions });
// It imports where a type needs it; Go wants that in front.
const isImport = (line) => line.startsWith("import ");
const imports = [...new Set(lines.filter(isImport))];
const [first, ...rest] = lines.filter((line) => !isImport(line));
const made = "// Code generated from the JSON Schemas by quicktype. DO NOT EDIT.\n";
console.log([made, first, "", ...imports, ...rest].join("\n").trimEnd());
