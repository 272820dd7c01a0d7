/**
 * New projects from templates: the files of templates/KIND/ with the name put in, and a deno.json
 * that says where Godwit is. For authors of protocols and drivers.
 *
 * @module
 */

const ROOT = new URL("../", import.meta.url);

/** What is to be made. */
export interface ScaffoldPlan {
  /** Name of what is made: letters, digits and `_`, beginning with a letter. */
  readonly name: string;
  /** Folder in templates/. */
  readonly template: string;
  /** Where the project goes; it must not be there yet, or be empty. */
  readonly folder: URL;
  /** Tasks of its deno.json. */
  readonly tasks: Readonly<Record<string, string>>;
}

/** The project cannot be made; the message is for a person. */
export class ScaffoldError extends Error {
  /** The kind of error. */
  override name = "ScaffoldError";
}

/** Runs a command with the arguments of this process, and says what it answers. */
export async function runCommand(command: (args: string[]) => Promise<string>): Promise<void> {
  try {
    console.log(await command(Deno.args));
  } catch (error) {
    if (!(error instanceof ScaffoldError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}

/** Makes a project; answers the paths of its files, below its folder. */
export async function scaffold(plan: ScaffoldPlan): Promise<string[]> {
  const { name, template, folder, tasks } = plan;
  if (!/^[a-z]\w{0,31}$/i.test(name)) {
    throw new ScaffoldError(
      `a name begins with a letter and has letters, digits and _, up to 32: not "${name}"`,
    );
  }
  for await (const { name: found } of list(folder)) {
    throw new ScaffoldError(`${folder.pathname} is not empty: it has ${found}`);
  }
  const written: string[] = [];
  for (const [path, text] of await readTemplate(new URL(`templates/${template}/`, ROOT))) {
    await write(folder, path, text.replaceAll("NAME", name));
    written.push(path);
  }
  await write(folder, "deno.json", JSON.stringify(await projectConfig(tasks), null, 2) + "\n");
  return [...written, "deno.json"].sort();
}

/** What is in a folder; nothing if it is not there. */
async function* list(folder: URL): AsyncGenerator<Deno.DirEntry> {
  try {
    yield* Deno.readDir(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function readTemplate(folder: URL, prefix = ""): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = prefix + name;
    if (isDirectory) {
      const inner = await readTemplate(new URL(`${name}/`, folder), `${path}/`);
      for (const [at, text] of inner) files.set(at, text);
    } else files.set(path, await Deno.readTextFile(new URL(name, folder)));
  }
  return files;
}

async function write(folder: URL, path: string, text: string): Promise<void> {
  const at = new URL(path, folder);
  await Deno.mkdir(new URL("./", at), { recursive: true });
  await Deno.writeTextFile(at, text);
}

/** A deno.json in which `@godwit/godwit` is this checkout. */
async function projectConfig(tasks: Readonly<Record<string, string>>): Promise<unknown> {
  const { exports, imports, unstable } = JSON.parse(
    await Deno.readTextFile(new URL("deno.json", ROOT)),
  ) as {
    exports: Record<string, string>;
    imports: Record<string, string>;
    unstable: string[];
  };
  const own = Object.entries(exports).map(([entry, path]) =>
    ["@godwit/godwit" + entry.slice(1), new URL(path, ROOT).href] as const
  );
  const assert = "@std/assert";
  return {
    tasks,
    unstable,
    imports: { ...Object.fromEntries(own), [assert]: imports[assert] },
    compilerOptions: { types: [new URL("types/std_assert.d.ts", ROOT).href] },
    nodeModulesDir: "none",
  };
}
