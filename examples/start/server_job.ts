/**
 * What servers that run until Ctrl-C have in common.
 *
 * @module
 */

import { type ControlServer, serveControl } from "../../commands/mod.ts";
import type { Stack } from "../../mod.ts";
import { bytes } from "./format.ts";
import { HttpServer, type Served, type ServerOptions } from "./http_server.ts";
import { report, retransmissions } from "./report.ts";
import type { JobOutput } from "./two_hosts.ts";

/** A server on a stack, which says of each request that it has answered it. */
export function openServer(
  stack: Stack,
  where: Pick<ServerOptions, "address" | "port" | "seed">,
  output: JobOutput,
): HttpServer {
  return new HttpServer(stack.sys, {
    ...where,
    sysctl: () => stack.sysctl.toString(),
    netstat: () => stack.netstat().toString(),
    onServed: (served) => output.log(servedLine(served)),
  });
}

/** Lets commands reach the stack, if that is wanted, until it is disposed. */
export async function openControl(
  stack: Stack,
  path: string | undefined,
  output: JobOutput,
): Promise<ControlServer | undefined> {
  if (path === undefined) return undefined;
  const server = await serveControl(stack, { path });
  output.log(`commands reach the stack by --control ${path}`);
  return server;
}

/** What is told of the stack at the end. */
export function logReport(stack: Stack, output: JobOutput): void {
  const reports = [{ name: "server", netstat: stack.netstat() }];
  output.log(`\n${report(reports)}\n${retransmissions(reports)}`);
}

function servedLine({ method, target, status, length, sha256 }: Served): string {
  const hash = sha256 === "" ? "" : `  sha256 ${sha256}`;
  return `${method} ${target}  ${status}  ${bytes(length)}${hash}`;
}

/** Resolves on Ctrl-C, or when the process is asked to end. */
export function interrupted(): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      for (const name of ["SIGINT", "SIGTERM"] as const) Deno.removeSignalListener(name, end);
      resolve();
    };
    for (const name of ["SIGINT", "SIGTERM"] as const) Deno.addSignalListener(name, end);
  });
}
