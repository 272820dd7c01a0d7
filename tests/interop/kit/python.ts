/** Questions to the kernel that Python asks: JSON goes to a program's input, and comes back. */
export async function ask<T>(program: string, args: readonly string[], input: unknown): Promise<T> {
  const child = new Deno.Command(program, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
    signal: AbortSignal.timeout(60_000),
  }).spawn();
  const output = child.output();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(JSON.stringify(input)));
  await writer.close();
  return JSON.parse(new TextDecoder().decode((await output).stdout));
}
