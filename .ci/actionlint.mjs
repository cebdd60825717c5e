// actionlint.mjs LINTER WORKFLOW...: prints the linter's messages, and fails if there are any.

import { readFile } from "node:fs/promises";
import { resolve } from "node:path";

// The linter's list of runners is older than these.
const newRunners = ["ubuntu-24.04", "ubuntu-24.04-arm"].map((label) => `label "${label}" is unknown. available labels are `);

const [linter, ...workflows] = process.argv.slice(2);
const { createLinter } = await import(resolve(linter));
const lint = await createLinter();
for (const workflow of workflows) {
  const complaints = lint(await readFile(workflow, "utf8"), workflow);
  for (const { line, column, kind, message } of complaints) {
    if (newRunners.some((known) => message.startsWith(known))) continue;
    console.error(`${workflow}:${line}:${column}: ${message} [${kind}]`);
    process.exitCode = 1;
  }
}
