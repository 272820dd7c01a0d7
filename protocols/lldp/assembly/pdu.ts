/** What is announced: the LLDPDU of an interface (IEEE 802.1AB-2016 8.2). */
import * as config from "./config";
import { Port } from "./port_t";
import { Family, Id, IF_INDEX, put, putBytes, Tlv } from "./tlv";

const HWADDR: u32 = 6;
/** Longest announcement; the texts have at most 255 bytes. */
export const BYTES_MAX: u32 = 1200;
const TTL_MAX: u32 = 65535;

/** Writes the LLDPDU of a port at an address; `first` gives its address to the chassis. */
export function write(at: usize, port: Port, first: Port): usize {
  // txTTL (9.2.5.22): the interval so often as hold says, and a second for the way
  const ttl = min(TTL_MAX, config.interval_s() * config.hold() + 1);
  let end = mandatory(at, port, first, ttl);
  end = putBytes(end, Tlv.PORT_DESCRIPTION, port.name, port.name_length);
  if (config.nameLength() > 0) {
    end = putBytes(end, Tlv.SYSTEM_NAME, config.name(), config.nameLength());
  }
  if (config.descriptionLength() > 0) {
    const length = config.descriptionLength();
    end = putBytes(end, Tlv.SYSTEM_DESCRIPTION, config.description(), length);
  }
  // 8.5.8: what it is, and what of that is switched on
  const capabilities = bswap(u16(config.capabilities()));
  const value = put(end, Tlv.CAPABILITIES, 4);
  store<u16>(value, capabilities);
  store<u16>(value, capabilities, 2);
  return put(managementAddress(value + 4, port, first), Tlv.END, 0);
}

/** Writes the one that says good-bye: its time to live is 0 (8.5.4). */
export function writeShutdown(at: usize, port: Port, first: Port): usize {
  return put(mandatory(at, port, first, 0), Tlv.END, 0);
}

/** The three that come first, in this order (8.2). */
function mandatory(at: usize, port: Port, first: Port, ttl: u32): usize {
  const own = config.chassisLength();
  let value = put(at, Tlv.CHASSIS_ID, 1 + (own > 0 ? own : HWADDR));
  store<u8>(value, own > 0 ? Id.CHASSIS_LOCAL : Id.CHASSIS_MAC);
  if (own > 0) memory.copy(value + 1, config.chassis(), own);
  else putHwaddr(value + 1, first);
  value += 1 + (own > 0 ? own : HWADDR);
  value = put(value, Tlv.PORT_ID, 1 + port.name_length);
  store<u8>(value, Id.PORT_NAME);
  memory.copy(value + 1, port.name, port.name_length);
  value = put(value + 1 + port.name_length, Tlv.TTL, 2);
  store<u16>(value, bswap(u16(ttl)));
  return value + 2;
}

/** 8.5.9: the address of the interface, or that of the chassis if it has none (8.5.9.4). */
function managementAddress(at: usize, port: Port, first: Port): usize {
  const isIp = port.address != 0;
  const length: u32 = isIp ? 4 : HWADDR;
  let value = put(at, Tlv.MANAGEMENT_ADDRESS, 1 + 1 + length + 1 + 4 + 1);
  store<u8>(value, u8(1 + length));
  store<u8>(value, isIp ? Family.IPV4 : Family.MAC, 1);
  value += 2;
  if (isIp) store<u32>(value, bswap(port.address));
  else putHwaddr(value, first);
  value += length;
  store<u8>(value, u8(IF_INDEX));
  store<u32>(value, bswap(port.index), 1);
  store<u8>(value, 0, 5); // no object identifier
  return value + 6;
}

function putHwaddr(at: usize, port: Port): void {
  store<u32>(at, port.hwaddr_hi);
  store<u16>(at, u16(port.hwaddr_lo), 4);
}
