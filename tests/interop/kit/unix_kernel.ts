/** Calls on local sockets of the Linux kernel, done by Python. */

import { ask } from "./python.ts";

/** A call: its name, the slot of its socket, and another argument. */
export type Call = readonly [name: string, slot: number, argument: number];

/** Places for sockets in a script. */
export const SLOTS = 5;

/** Does the calls; the answers are lists of JSON. */
const PYTHON = `
import array, errno, json, os, socket, sys, tempfile
TYPES = [socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET]
HOW = [socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR]
paths = ["a", "b", ""]
names = ["a", "b", "\\0c"]
def data(n): return bytes((i * 7 + n) & 255 for i in range(n))
def named(a):
    if isinstance(a, bytes): a = a.decode()
    return names[paths.index(a)] if a in paths else ""
def run(s, name, slot, arg):
    so = s.get(slot)
    if name in ("socket", "pair"):
        if so: so.close()
        if name == "socket":
            s[slot] = socket.socket(socket.AF_UNIX, TYPES[arg])
            s[slot].setblocking(False)
            return "ok"
        other = (slot + 1) % ${SLOTS}
        if s.get(other): s[other].close()
        s[slot], s[other] = socket.socketpair(socket.AF_UNIX, TYPES[arg])
        s[slot].setblocking(False); s[other].setblocking(False)
        return "ok"
    if name == "unlink":
        os.unlink(paths[arg])
        return "ok"
    if so is None: return "none"
    if name == "bind": so.bind(paths[arg])
    elif name == "listen": so.listen(arg)
    elif name == "connect": so.connect(paths[arg])
    elif name == "accept":
        made, _ = so.accept()
        made.setblocking(False)
        if s.get(arg): s[arg].close()
        s[arg] = made
    elif name == "send": return so.send(data(arg), socket.MSG_NOSIGNAL)
    elif name == "sendto": return so.sendto(b"x" * 9, socket.MSG_NOSIGNAL, paths[arg])
    elif name == "recv": return list(so.recv(arg))
    elif name == "pass":
        if s.get(arg) is None: return "none"
        rights = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [s[arg].fileno()]))]
        return so.sendmsg([b"r"], rights, socket.MSG_NOSIGNAL)
    elif name == "take":
        got, control, _, _ = so.recvmsg(9, 64)
        fds = array.array("i")
        for level, kind, value in control: fds.frombytes(value[:len(value) // 4 * 4])
        if len(fds):
            if s.get(arg): s[arg].close()
            s[arg] = socket.socket(fileno=fds[0])
            s[arg].setblocking(False)
        return [list(got), len(fds)]
    elif name == "shutdown": so.shutdown(HOW[arg])
    elif name == "close":
        so.close()
        del s[slot]
    elif name == "name": return named(so.getsockname())
    elif name == "peer": return named(so.getpeername())
    return "ok"
answers = []
for number, script in enumerate(json.load(sys.stdin)):
    # the kernel may not have collected yet what an earlier script left behind under a name
    paths[2] = "\\0godwit-test-%d-%d" % (os.getpid(), number)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        s, answer = {}, []
        for name, slot, arg in script:
            try: answer.append(run(s, name, slot, arg))
            except OSError as e:
                name = errno.errorcode[e.errno]
                answer.append("EOPNOTSUPP" if name == "ENOTSUP" else name)
        for so in s.values(): so.close()
        answers.append(answer)
        os.chdir("/")
json.dump(answers, sys.stdout)
`;

/** What the kernel answers to each call of each script. */
export async function kernel(scripts: readonly (readonly Call[])[]): Promise<unknown[][]> {
  return await ask("python3", ["-c", PYTHON], scripts);
}
