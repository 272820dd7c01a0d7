/** Calls of the boundary in any order, with values that a careless program or operator may give. */

import { IfCap, Iff, Medium, Sioc } from "../../assembly/abi/ifnet.ts";
import { Rtf } from "../../assembly/abi/route.ts";
import { Af, Msg, Sock, Sol } from "../../assembly/abi/socket.ts";
import { BatchRecord, SockAddr } from "../../runtime/wasm/layout.gen.ts";
import * as frames from "../unit/net/frames.ts";
import { Host, OWN, PEER } from "../unit/net/host.ts";
import { type VnetFields, withHeader } from "../unit/net/vnet.ts";
import type { Random } from "./random.ts";

const SECOND_US = 1_000_000;
const GROUP = "224.1.1.1";
const EVERYBODY = "ff:ff:ff:ff:ff:ff";
const ADDRESSES = "10.0.0.1 10.0.0.2 10.0.0.77 10.0.1.1 10.9.9.9 127.0.0.1 10.0.0.255 0.0.0.0 "
  .concat("255.255.255.255 224.0.0.1 ", GROUP).split(" ");
const SOURCES = ["10.0.0.2", "10.0.0.3", "10.0.1.9", "10.0.0.1", "10.0.0.255", "0.0.0.0"];
const LINKS = ["10.0.0.1/24", "10.0.1.1/24", "10.0.0.9/24", "10.0.0.7/31", "10.0.0.1/32"];
const PREFIXES = ["0.0.0.0/0", "10.9.0.0/16", "224.0.0.0/4"];
const KINDS = [[Sock.STREAM, 0], [Sock.DGRAM, 0], [Sock.RAW, 0], [Sock.RAW, 200], [Sock.RAW, 255]];
const SIZES = [0, 1, 40, 200, 1400, 3000, 9000, 65507, 65536];
const MTUS = [67, 68, 300, 576, 1500, 2032, 2033, 9000, 65535, 65536];
const INTERFACES_MAX = 3;
const LOOPBACK = 1;

/** A host with little of everything, and whoever calls it. */
export class Caller {
  readonly host: Host;
  readonly #random: Random;
  readonly #ports: number[] = [];
  readonly #sockets: number[] = [];
  /** Interfaces whose frames begin with a virtio_net_hdr. */
  readonly #headed = new Set<number>();
  readonly #held: number[] = [];
  readonly #steps: (() => void)[];

  constructor(random: Random) {
    this.#random = random;
    const tables = { sockets: 24, tcbs: 16, syncache: 4, timewaits: 4, routes: 40, neighbors: 8 };
    const mbufs = {
      mbufs_small: random.between(40, 240),
      mbufs_cluster: random.between(40, 240),
    };
    this.host = new Host({ ...tables, ...mbufs, groups: 4, datagrams: 4, addresses: 8 });
    const receive = new Array<() => void>(6).fill(() => this.#receive());
    const data = new Array<() => void>(3).fill(() => this.#data());
    this.#steps = [
      () => this.#attach(),
      () => this.#detach(),
      () => this.#exchange(),
      () => this.#configure(),
      () => this.#routes(),
      () => this.#open(),
      () => this.#open(),
      () => this.#names(),
      () => this.#names(),
      () => this.#end(),
      () => this.#option(),
      () => this.#option(),
      () => this.#mbufs(),
      () => this.#time(),
      ...receive,
      ...data,
    ];
  }

  /** One call, or a few that belong together. */
  step(): void {
    this.#random.pick(this.#steps)();
  }

  /** Gives everything back and lets all that lasts run out. */
  finish(): void {
    const { call } = this.host;
    this.#release();
    for (const so of this.#sockets) call.so_close(so);
    for (const port of this.#ports) call.if_detach(port);
    this.host.ioctl(Sioc.SIFFLAGS, { ifindex: LOOPBACK, flags: Iff.UP });
    for (let i = 0; i < 20; i++) this.host.advance(60 * SECOND_US);
  }

  #port(): number {
    return this.#ports.length > 0 ? this.#random.pick(this.#ports) : LOOPBACK;
  }

  #address(): string {
    return this.#random.pick(ADDRESSES);
  }

  #attach(): void {
    if (this.#ports.length === INTERFACES_MAX) return;
    const random = this.#random;
    const caps = random.oneIn(3) ? IfCap.VNET_HDR : 0;
    const port = this.host.attach({ medium: Medium.ETHERNET, mtu: random.pick(MTUS), caps });
    if (port < 0) return;
    this.#ports.push(port);
    if (caps) this.#headed.add(port);
    else this.#headed.delete(port);
    this.host.address(port, this.#random.pick(LINKS));
  }

  /** Gives an interface another device, or tries to. */
  #exchange(): void {
    const random = this.#random;
    const ifindex = random.oneIn(8) ? LOOPBACK : this.#port();
    const caps = random.oneIn(3) ? IfCap.VNET_HDR : 0;
    const medium = random.oneIn(8) ? Medium.IP : Medium.ETHERNET;
    const mtu = random.pick(MTUS);
    if (this.host.attach({ ifindex, medium, mtu, caps }) < 0) return;
    if (caps) this.#headed.add(ifindex);
    else this.#headed.delete(ifindex);
  }

  #detach(): void {
    if (!this.#random.oneIn(4) || this.#ports.length === 0) return;
    const [port] = this.#ports.splice(this.#random.below(this.#ports.length), 1);
    this.host.call.if_detach(port);
  }

  #configure(): void {
    const random = this.#random;
    const ifindex = random.oneIn(8) ? LOOPBACK : this.#port();
    const addr = frames.ip(this.#address());
    const flags = random.oneIn(4) ? random.pick([0, Iff.NOARP, Iff.UP | Iff.ALLMULTI]) : Iff.UP;
    const cmd = random.pick([
      Sioc.SIFFLAGS,
      Sioc.SIFMTU,
      Sioc.DIFADDR,
      Sioc.SARP,
      Sioc.DARP,
      Sioc.GARP,
    ]);
    const hwaddr_lo = random.below(3);
    this.host.ioctl(cmd, { ifindex, addr, flags, mtu: random.pick(MTUS), hwaddr_lo });
    if (random.oneIn(3)) this.host.address(ifindex, random.pick(LINKS));
  }

  #routes(): void {
    const random = this.#random;
    const flags = random.pick([0, Rtf.REJECT, Rtf.BLACKHOLE]);
    const more = { metric: random.below(3), mtu: random.pick([0, 68, 500, 60000]), flags };
    this.host.route(random.pick(PREFIXES), random.pick(["10.0.0.2", "10.0.1.2"]), more);
    if (random.oneIn(2)) this.host.unroute(random.pick(PREFIXES));
    if (random.oneIn(3)) {
      const from = random.pick([0, 0x0a000000, 0x0a000001]);
      const from_mask = random.pick([0, 0xff000000, 0xffffffff]);
      this.host.route(random.pick(PREFIXES), "10.0.0.2", { ...more, from, from_mask });
      this.host.reroute(random.pick(PREFIXES), { ...more, gateway: random.pick([0, 0x0a000002]) });
    }
    this.host.call.ip_forwarding(random.below(2));
  }

  #open(): void {
    const [type, protocol] = this.#random.pick(KINDS);
    const so = this.host.socket(type, protocol);
    if (so > 0) this.#sockets.push(so);
  }

  /** Hands a socket, if there is one, to a function. */
  #with(use: (so: number) => void): void {
    if (this.#sockets.length > 0) use(this.#random.pick(this.#sockets));
  }

  #names(): void {
    const { host } = this;
    const random = this.#random;
    this.#with((so) => {
      if (random.oneIn(2)) host.connect(so, this.#address(), random.below(6));
      if (random.oneIn(3)) host.call.so_disconnect(so);
      const nam = host.call.scratch() + 2048;
      host.memory.fill(0, nam, nam + SockAddr.size);
      host.view.setUint16(nam + SockAddr.family, Af.INET, true);
      host.view.setUint16(nam + SockAddr.port, random.below(6), true);
      host.view.setUint16(nam + 10, 0xffff);
      host.view.setUint32(nam + 12, frames.ip(this.#address()));
      if (random.oneIn(2)) host.call.so_bind(so, nam);
      if (random.oneIn(2)) host.call.so_listen(so, random.below(4));
      const child = host.call.so_accept(so, 0);
      if (child > 0) this.#sockets.push(child);
    });
  }

  #end(): void {
    const { call } = this.host;
    const random = this.#random;
    this.#with((so) => {
      if (random.oneIn(3)) call.so_shutdown(so, random.below(4));
      if (random.oneIn(6)) call.so_abort(so);
      if (random.oneIn(3)) return;
      call.so_close(so);
      this.#sockets.splice(this.#sockets.indexOf(so), 1);
    });
  }

  #data(): void {
    const { host } = this;
    const random = this.#random;
    this.#with((so) => {
      const to = random.oneIn(2) ? this.#address() : undefined;
      const flags = random.oneIn(4) ? Msg.FASTOPEN : random.below(6);
      host.send(so, new Uint8Array(random.pick(SIZES)), to, random.below(6), flags);
      host.recv(so);
      if (random.oneIn(2)) this.#inPlace(so);
      host.call.so_want(so, random.below(64));
      host.call.ev_drain(host.call.scratch() + 2048, random.below(20));
    });
  }

  /** Bytes where they lie, and batches; also more of them than there can be. */
  #inPlace(so: number): void {
    const { call, view } = this.host;
    const random = this.#random;
    const room = call.so_reserve(so, random.pick(SIZES));
    call.so_commit(
      so,
      room > 0 && random.oneIn(2) ? random.below(room + 1) : random.below(3000),
      0,
    );
    const shown = call.so_peek(so, random.below(256));
    call.so_release(
      so,
      shown > 0 && random.oneIn(2) ? random.below(shown + 1) : random.below(3000),
    );
    if (random.oneIn(3)) call.so_reserve(so, random.pick(SIZES));
    const table = call.scratch();
    for (let i = 0; i < 4; i++) {
      view.setUint32(table + i * BatchRecord.size + BatchRecord.length, random.below(9000), true);
      const to = random.oneIn(2) ? frames.ip(this.#address()) : 0;
      view.setUint32(table + i * BatchRecord.size + BatchRecord.address, to, true);
      view.setUint32(table + i * BatchRecord.size + BatchRecord.port, random.below(6), true);
    }
    if (random.oneIn(2)) call.so_sendmmsg(so, table, random.below(5), call.staging(), 0);
    else call.so_recvmmsg(so, table, random.below(5), call.staging(), random.pick(SIZES), 0);
  }

  #option(): void {
    const { call, memory, view } = this.host;
    const random = this.#random;
    const at = call.scratch() + 3072;
    const level = random.pick([0, 6, 17, Sol.SOCKET]);
    const name = random.pick([
      random.below(0x18),
      0x100 + random.below(15),
      0x1000 + random.below(12),
      1 << random.below(16),
    ]);
    const len = random.pick([0, 1, 4, 4, 4, 8, 8, 16, 32, 100, -1]);
    memory.set(
      random.oneIn(2) ? random.bytes(16) : [random.below(3), ...new Array(15).fill(0)],
      at,
    );
    if (random.oneIn(2)) {
      view.setUint32(at, frames.ip(GROUP), true);
      view.setUint32(at + 4, random.below(4), true);
    }
    const which = random.oneIn(3) ? "so_getopt" : "so_setopt";
    this.#with((so) => call[which](so, level, name, at, len));
  }

  /** Takes mbufs away, perhaps the last, or gives them back. */
  #mbufs(): void {
    const { call } = this.host;
    if (this.#random.oneIn(2)) return this.#release();
    const get = this.#random.oneIn(2) ? call.probe_mbuf_get : call.probe_mbuf_getcl;
    const most = this.#random.oneIn(2) ? 1000 : 1;
    for (let i = 0; i < most; i++) {
      const m = get(1);
      if (m === 0) return;
      this.#held.push(m);
    }
  }

  #release(): void {
    for (const m of this.#held.splice(0)) this.host.call.probe_mbuf_freem(m);
  }

  #time(): void {
    this.host.advance(this.#random.pick([0, 1000, 200_000, SECOND_US, 31 * SECOND_US]));
    for (const port of this.#ports) if (this.#random.oneIn(2)) this.host.output(port);
  }

  #receive(): void {
    if (this.#ports.length === 0) return;
    const port = this.#port();
    const n = this.#random.between(1, 4);
    if (this.host.call.if_rx_prepare(port, n) !== n) return;
    const headed = this.#headed.has(port);
    const all = Array.from({ length: n }, () => {
      return headed ? withHeader(this.#vnet(), this.#frame()) : this.#frame();
    });
    this.host.input(port, ...all);
  }

  /** What may stand in front of a frame. */
  #vnet(): VnetFields {
    const random = this.#random;
    if (random.oneIn(3)) return {};
    return {
      flags: random.below(4),
      type: random.pick([0, 0, 1, 3, 4, 5, 0x81]),
      size: random.pick([0, 1, 100, 536, 1460, 65535]),
      start: random.pick([34, 34, 38, random.below(100)]),
      offset: random.pick([6, 16, random.below(100)]),
    };
  }

  #frame(): Uint8Array {
    const random = this.#random;
    const [src, dst] = [random.pick(SOURCES), this.#address()];
    if (random.oneIn(8)) {
      const ask = { op: random.pick([1, 2] as const), sha: PEER, spa: src, tpa: dst };
      return frames.ether(random.pick([OWN, EVERYBODY]), PEER, 0x0806, frames.arp(ask));
    }
    const mac = dst === GROUP ? "01:00:5e:01:01:01" : dst.endsWith(".255") ? EVERYBODY : OWN;
    const frame = frames.ether(mac, PEER, 0x0800, this.#packet(src, dst));
    if (random.oneIn(6)) frame[random.below(frame.length)] = random.below(256);
    return random.oneIn(12) ? frame.slice(0, random.below(frame.length)) : frame;
  }

  #packet(src: string, dst: string): Uint8Array {
    const random = this.#random;
    const data = new Uint8Array(random.pick([0, 1, 8, 40, 64, 600, 1400]));
    const options = random.oneIn(8)
      ? random.pick([[1, 1, 1, 0], [7, 0, 0, 0], [148, 4, 0, 0]])
      : [];
    const ip4 = (proto: number, payload: Uint8Array) =>
      frames.ip4({ src, dst, proto, payload, options });
    switch (random.below(6)) {
      case 0: {
        const quote = frames.ip4({ src: "10.0.0.1", dst: "10.0.0.2", proto: 17, payload: data });
        return ip4(1, frames.icmp(random.below(14), random.below(16), random.u32(), quote));
      }
      case 1: {
        const type = random.pick([0x11, 0x12, 0x16, 0x17]);
        return ip4(2, frames.igmp(type, random.below(200), random.pick([GROUP, "0.0.0.0"])));
      }
      case 2:
      case 3:
        return ip4(17, frames.udp(src, dst, random.below(6), random.below(6), data));
      default: {
        const place = { id: random.below(6), offset: 8 * random.below(4), more: random.oneIn(2) };
        const proto = random.pick([1, 6, 17, 200]);
        return frames.ip4({ src, dst, proto, payload: data.slice(0, 16), options, ...place });
      }
    }
  }
}
