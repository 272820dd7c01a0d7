/** Socket files whose process was killed. */

const KINDS = {
  unix: `Deno.listen({ transport: "unix", path });`,
  unixpacket: `Deno.listenDatagram({ transport: "unixpacket", path });`,
};

/** Binds a socket to a path in a process of its own, and kills that: the file stays. */
export async function abandonFile(path: string, kind: keyof typeof KINDS): Promise<void> {
  const script = `const path = ${JSON.stringify(path)};
    ${KINDS[kind]}
    console.log("bound");
    await new Promise((resolve) => setTimeout(resolve, 60_000));`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--unstable-net", script],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  child.kill("SIGKILL");
  await child.status;
  await reader.cancel();
}
