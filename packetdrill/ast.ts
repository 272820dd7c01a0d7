/**
 * What the parser makes of a script. Times are whole microseconds, sequence numbers are as the
 * script writes them.
 *
 * @module
 */

/** When something is to happen. */
export interface When {
  /** `abs`: since the start; `rel`: since the event before; `any`: whenever. */
  readonly kind: "abs" | "rel" | "any";
  readonly at_us: number;
  /** Latest time of a window `t1~t2`, in the frame of `at_us`. */
  readonly until_us?: number;
  /** When a call that waits is to end (`t1...t2`), in the frame of `at_us`. */
  readonly end_us?: number;
}

/** One thing that happens. */
export interface ScriptEvent {
  readonly line: number;
  readonly when: When;
  readonly action: Packet | Call | Command | Code;
}

/** A whole script. */
export interface Script {
  readonly options: readonly (readonly [name: string, value: string])[];
  readonly setup?: Command;
  readonly events: readonly ScriptEvent[];
  readonly cleanup?: Command;
}

/** Shell text in back-quotes. */
export interface Command {
  readonly kind: "command";
  readonly text: string;
  readonly line: number;
}

/** Python text in `%{ }%`. */
export interface Code {
  readonly kind: "code";
  readonly text: string;
}

/** What stands in brackets before a packet. */
export interface IpInfo {
  readonly ecn?: "noecn" | "ect0" | "ect1" | "ce" | "ect01";
  readonly tos?: number;
  /** The upper six bits of that octet. */
  readonly dscp?: number;
  readonly ttl?: number;
}

/** A packet that is injected (`<`) or expected (`>`). */
export interface Packet {
  readonly kind: "packet";
  readonly outbound: boolean;
  readonly ip: IpInfo;
  readonly ports?: readonly [source: number, destination: number];
  readonly body: TcpBody | UdpBody | IcmpBody;
}

/** One TCP option; `raw` is its bytes where the script gives them. */
export type TcpOption =
  | { readonly kind: "nop" | "eol" | "sackOK" }
  | { readonly kind: "mss" | "wscale"; readonly value: number }
  | {
    readonly kind: "TS";
    readonly val: number;
    readonly ecr: number;
    /** Any value will do. */
    readonly open?: boolean;
    /** The echo is a number of the wire. */
    readonly wire?: boolean;
  }
  | { readonly kind: "sack"; readonly blocks: readonly (readonly [number, number])[] }
  | { readonly kind: "FO" | "FOEXP"; readonly cookie: string }
  | { readonly kind: "raw"; readonly code: number; readonly bytes: string };

/** A TCP segment, with the numbers of the script. */
export interface TcpBody {
  readonly kind: "tcp";
  /** Nine bits, FIN lowest, AE highest. */
  readonly flags: number;
  readonly seq: number;
  readonly length: number;
  /** `wire`: the sequence number is that of the wire; `any`: it does not matter. */
  readonly numbering?: "wire" | "any";
  readonly ack?: number;
  readonly win?: number;
  readonly urg: number;
  /** `any`: whatever there is (`<...>`). */
  readonly options: readonly TcpOption[] | "any";
}

/** A UDP datagram. */
export interface UdpBody {
  readonly kind: "udp";
  readonly length: number;
}

/** An ICMP message, an error as a rule. */
export interface IcmpBody {
  readonly kind: "icmp";
  readonly type: number;
  readonly code: number;
  readonly mtu?: number;
  readonly id?: number;
  /** What it quotes of a packet of ours. */
  readonly echoed?: { readonly protocol: "tcp" | "udp"; readonly seq: number; length: number };
}

/** A system call. */
export interface Call {
  readonly kind: "call";
  readonly name: string;
  readonly args: readonly Expr[];
  readonly result: Expr;
  readonly errno?: string;
  /** As the script has it. */
  readonly text: string;
}

/** A value in a system call. */
export type Expr =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "word"; readonly name: string }
  | { readonly kind: "string"; readonly value: string }
  | { readonly kind: "or"; readonly items: readonly Expr[] }
  | { readonly kind: "list"; readonly items: readonly Expr[] }
  | { readonly kind: "apply"; readonly name: string; readonly args: readonly Expr[] }
  | { readonly kind: "record"; readonly fields: readonly Field[] }
  | { readonly kind: "ellipsis" };

/** One entry of a `{ }` record; the name is empty where there is none. */
export interface Field {
  readonly name: string;
  /** The size in `msg_name(16)=…`. */
  readonly size?: Expr;
  readonly value: Expr;
}
