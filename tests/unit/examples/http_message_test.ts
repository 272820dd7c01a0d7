/** HTTP messages out of raw bytes that come in any pieces. */

import { assertEquals, assertThrows } from "@std/assert";
import {
  type Head,
  HttpSyntaxError,
  MessageParser,
  statusLine,
  writeHead,
} from "../../../examples/start/http_message.ts";

interface Parsed {
  head?: Head;
  body: string;
  whole: boolean;
}

function collect(kind: "request" | "response"): { parser: MessageParser; messages: Parsed[] } {
  const messages: Parsed[] = [];
  const parser = new MessageParser(kind, {
    head: (head) => void messages.push({ head, body: "", whole: false }),
    body: (bytes) => void (messages.at(-1)!.body += new TextDecoder().decode(bytes)),
    end: () => void (messages.at(-1)!.whole = true),
  });
  return { parser, messages };
}

const encode = (text: string) => new TextEncoder().encode(text);

Deno.test("http: pipelined requests, in pieces of every length", () => {
  const bytes = encode(
    "PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nX: 1\r\nX: 2\r\n\r\nhello" +
      "GET /data/10?x=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
  );
  for (let step = 1; step <= bytes.length; step++) {
    const { parser, messages } = collect("request");
    for (let at = 0; at < bytes.length; at += step) parser.push(bytes.subarray(at, at + step));
    const seen = messages.map(({ head, body, whole }) => [
      head!.method,
      head!.target,
      head!.keepAlive,
      body,
      whole,
    ]);
    assertEquals(seen, [
      ["PUT", "/up", true, "hello", true],
      ["GET", "/data/10?x=1", false, "", true],
    ]);
    assertEquals(messages[0].head!.headers.get("x"), "1, 2");
  }
});

Deno.test("http: a chunked upload and a response without a length", () => {
  const upload = collect("request");
  upload.parser.push(
    encode("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
  );
  assertEquals(upload.messages.map(({ body, whole }) => [body, whole]), [["abcde", true]]);
  const response = collect("response");
  response.parser.push(encode("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nuntil the end"));
  assertEquals(response.messages[0].whole, false);
  response.parser.finish();
  assertEquals(response.messages[0], {
    head: response.messages[0].head,
    body: "until the end",
    whole: true,
  });
  assertEquals(response.messages[0].head!.status, 200);
});

Deno.test("http: a body of a megabyte in one piece, and a message after it", () => {
  const length = 1 << 20;
  const { parser, messages } = collect("response");
  const head = `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
  parser.push(encode(head + "x".repeat(length) + "HTTP/1.1 204 No Content\r\n\r\n"));
  assertEquals(messages.map(({ head, body, whole }) => [head!.status, body.length, whole]), [
    [200, length, true],
    [204, 0, true],
  ]);
});

Deno.test("http: what is no message is refused", () => {
  const { parser } = collect("request");
  assertThrows(() => parser.push(encode("\x16\x03\x01 nonsense\r\n\r\n")), HttpSyntaxError);
  const cut = collect("response");
  cut.parser.push(encode("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc"));
  assertThrows(() => cut.parser.finish(), HttpSyntaxError);
});

Deno.test("http: heads are written as they are read", () => {
  const { parser, messages } = collect("response");
  parser.push(writeHead(statusLine(404), { "content-length": "0", "connection": "close" }));
  const { head, whole } = messages[0];
  assertEquals([head!.status, head!.keepAlive, head!.headers.get("content-length"), whole], [
    404,
    false,
    "0",
    true,
  ]);
});
