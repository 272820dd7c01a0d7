/**
 * What `deno task start --help` prints.
 *
 * @module
 */

/** The options, for a person. */
export const HELP = `deno task start [OPTIONS]
    Two hosts on a virtual Ethernet: one serves HTTP, the other downloads from it and checks every
    byte. Leaves a capture that Wireshark opens.
      --size BYTES        how much to download; 64MiB unless told
      --mtu BYTES         largest IP packet on the cable, 68 to 2032; 1500 unless told
      --seed N            seed of the content and of both stacks; 1 unless told
      --capture FILE      where the capture goes; out/start.pcapng unless told
      --no-capture        make no capture
      --snaplen BYTES     bytes kept of each frame, 0 for all; unless told, small frames are kept
                          whole and of large ones the headers
      --control FILE      of the client: socket file for netstat, ping and the other commands

deno task start --tap NAME [OPTIONS]
    The same server on a TAP device, where this machine's own ping and curl reach it, until Ctrl-C.
    Linux only; as root, or on a device that was made for you.
      --address A/N       address of the stack; 10.9.0.2/24 unless told
      --host-address A/N  address of this machine on the device; 10.9.0.1/24 unless told
      --port N            port of the server; 80 unless told
      --seed N            seed of the content; 1 unless told
      --control FILE      socket file for netstat, ping and the other commands

deno task start --replay FILE [OPTIONS]
    Plays a capture file (pcap or pcapng) to a stack and says of every frame what the stack made of
    it: used, answered, or dropped and by which rule. The clock is that of the capture, so the
    answers of the stack are the same every time.
      --address A/N       address of the stack; the most frequent destination unless told
      --listen PROTO/N    open a socket, such as udp/53 or tcp/80; may be repeated
      --totals            only the totals, no line for each frame

deno task start --serve FILE [OPTIONS]
deno task start --get FILE [OPTIONS]
    Two hosts in two processes, joined by the socket FILE: the first serves until Ctrl-C, the second
    downloads and checks every byte. Clients may come one after the other.
      --size BYTES        how much to download; 64MiB unless told
      --seed N            seed of the content, the same for both; 1 unless told
      --control FILE      socket file for netstat, ping and the other commands

All take settings of the stacks; docs/sysctl.md lists them, and /sysctl of the server shows
them.
      --profile NAME      linux, the way of Linux, or strict, that of the RFCs; linux unless told
      --sysctl NAME=VALUE one setting, such as net.ipv4.tcp_ecn=1; may be repeated

deno task start --help
    This text.

Exit status: 0 if all went well, 1 if the job failed, 2 if the options make no sense.`;
