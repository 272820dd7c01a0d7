/**
 * Names and number of the host that a stack plays.
 *
 * @module
 */

import { Errno } from "../../assembly/abi/errno.ts";
import { SocketError } from "../errors.ts";

/** Longest host and domain name in bytes, as on AIX. */
const NAME_MAX = 255;

/** Host name, domain name and host number. */
export class HostNames {
  #hostname = "";
  #domainname = "";
  #hostid: number;

  /** A host without a domain. */
  constructor(hostname: string, hostid: number) {
    this.hostname = hostname;
    this.#hostid = hostid >>> 0;
  }

  /** The host's name; setting throws `SocketError` EINVAL for a name that is too long. */
  get hostname(): string {
    return this.#hostname;
  }

  set hostname(name: string) {
    this.#hostname = checkName(name, "sethostname");
  }

  /** The domain's name; setting throws `SocketError` EINVAL for a name that is too long. */
  get domainname(): string {
    return this.#domainname;
  }

  set domainname(name: string) {
    this.#domainname = checkName(name, "setdomainname");
  }

  /** A 32-bit number for the host; setting throws `SocketError` EINVAL for other numbers. */
  get hostid(): number {
    return this.#hostid;
  }

  set hostid(id: number) {
    if (id >>> 0 !== id) throw new SocketError(Errno.EINVAL, "sethostid", `${id} is not 32 bits`);
    this.#hostid = id;
  }
}

function checkName(name: string, syscall: string): string {
  if (new TextEncoder().encode(name).length > NAME_MAX) {
    throw new SocketError(Errno.EINVAL, syscall, `a name has at most ${NAME_MAX} bytes`);
  }
  return name;
}
