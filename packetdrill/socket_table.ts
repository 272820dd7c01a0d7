/**
 * The stack's sockets, in the forms in which kernels show theirs: `sockstat`, `netstat`, `ss` and
 * `/proc/net/tcp`.
 *
 * @module
 */

import { TcpState } from "../assembly/abi/tcp.ts";
import type { World } from "./world.ts";

/** One connection or listener. */
interface Row {
  readonly state: number;
  readonly local: number;
  readonly remote: number;
  /** Number of the descriptor; undefined if no descriptor is open. */
  readonly fd?: number;
}

/** Names of a state: BSD's, Linux's in netstat, that of ss, and the number in /proc/net/tcp. */
type StateNames = readonly [bsd: string, linux: string, ss: string, proc: string];

const STATES: Readonly<Record<number, StateNames>> = {
  [TcpState.CLOSED]: ["CLOSED", "CLOSE", "UNCONN", "07"],
  [TcpState.LISTEN]: ["LISTEN", "LISTEN", "LISTEN", "0A"],
  [TcpState.SYN_SENT]: ["SYN_SENT", "SYN_SENT", "SYN-SENT", "02"],
  [TcpState.SYN_RECEIVED]: ["SYN_RCVD", "SYN_RECV", "SYN-RECV", "03"],
  [TcpState.ESTABLISHED]: ["ESTABLISHED", "ESTABLISHED", "ESTAB", "01"],
  [TcpState.CLOSE_WAIT]: ["CLOSE_WAIT", "CLOSE_WAIT", "CLOSE-WAIT", "08"],
  [TcpState.FIN_WAIT_1]: ["FIN_WAIT_1", "FIN_WAIT1", "FIN-WAIT-1", "04"],
  [TcpState.CLOSING]: ["CLOSING", "CLOSING", "CLOSING", "0B"],
  [TcpState.LAST_ACK]: ["LAST_ACK", "LAST_ACK", "LAST-ACK", "09"],
  [TcpState.FIN_WAIT_2]: ["FIN_WAIT_2", "FIN_WAIT2", "FIN-WAIT-2", "05"],
  [TcpState.TIME_WAIT]: ["TIME_WAIT", "TIME_WAIT", "TIME-WAIT", "06"],
};

/** All of the stack, those without a socket (half open, in TIME-WAIT) included. */
function rows(world: World): Row[] {
  const owners = new Map<number, number>();
  for (const [number, fd] of world.fds) if (fd.kind === "socket") owners.set(fd.so, number);
  const found: Row[] = world.sockets().map(({ so, state, local, remote }) => {
    const fd = owners.get(so);
    return { state, local, remote, ...(fd === undefined ? {} : { fd }) };
  });
  const { connection } = world;
  for (const state of Object.keys(STATES).map(Number)) {
    const known = found.filter((row) => row.state === state).length;
    const missing = world.host.calls.tcp_count(state) - known;
    for (let i = 0; i < missing; i++) {
      found.push({ state, local: connection?.localPort ?? 0, remote: connection?.remotePort ?? 0 });
    }
  }
  return found;
}

function place(ip: string, port: number): string {
  return port === 0 ? "*:*" : `${ip}:${port}`;
}

/** `sockstat -s`: the process is called packetdrill, of which ten letters are shown. */
export function sockstatLines(world: World): string[] {
  const { localIp, remoteIp } = world.config;
  return rows(world).map(({ state, local, remote, fd }) => {
    const owner = fd === undefined
      ? "?        ?          ?     ? "
      : `root     packetdril 1000  ${fd} `;
    const remotePlace = place(remoteIp, remote);
    return `${owner} tcp4   ${place(localIp, local)}   ${remotePlace}   ${STATES[state][0]}`;
  });
}

/** `netstat -an`. */
export function netstatLines(world: World): string[] {
  const { localIp, remoteIp, dialect } = world.config;
  return rows(world).map(({ state, local, remote }) => {
    const name = STATES[state][dialect === "freebsd" ? 0 : 1];
    return `tcp        0      0 ${place(localIp, local)}   ${place(remoteIp, remote)}   ${name}`;
  });
}

/** `ss -tan`. */
export function ssLines(world: World, shows: (state: string) => boolean): string[] {
  const { localIp, remoteIp } = world.config;
  return rows(world).filter(({ state }) => shows(STATES[state][2])).map((
    { state, local, remote },
  ) => `${STATES[state][2]} 0      0      ${place(localIp, local)}   ${place(remoteIp, remote)}`);
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, "0");
}

/** `/proc/net/tcp`: addresses with their bytes the wrong way round. */
export function procLines(world: World): string[] {
  const { localIp, remoteIp } = world.config;
  const address = (ip: string, port: number) => {
    const bytes = port === 0 ? [0, 0, 0, 0] : ip.split(".").map(Number).reverse();
    return `${bytes.map((byte) => hex(byte, 2)).join("")}:${hex(port, 4)}`;
  };
  return rows(world).map(({ state, local, remote }, i) => {
    const ends = `${address(localIp, local)} ${address(remoteIp, remote)}`;
    return `${String(i).padStart(4)}: ${ends} ${STATES[state][3]} 00000000:00000000 00:00000000`;
  });
}
