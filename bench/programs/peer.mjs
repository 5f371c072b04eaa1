// peer.mjs: works of the benchmark with OpenAI's SDK for node and with eventsource-parser, as their pages show them.
// Leans on build/bench/peers/node_modules, into which bench/tools.sh installs both.
//
//   node peer.mjs WORK URL TIMES WARM [SIZE]     prints a line (see measure.lua)

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const require = createRequire(resolve("build/bench/peers/package.json"));
const [work, url, times, warm, size] = [process.argv[2], process.argv[3], ...process.argv.slice(4).map(Number)];
const question = { model: "gpt-4", messages: [{ role: "user", content: "Hello!" }] };
const streaming = { ...question, stream: true };

function newClient() {
  const OpenAI = require("openai");
  return new OpenAI({ apiKey: "bench", baseURL: url + "/v1", maxRetries: 0 });
}

const client = work === "sse" ? null : newClient();

const repeated = (fn) => async (n) => {
  let units = 0;
  for (let i = 0; i < n; i++) units += (await fn()) ?? 1;
  return units;
};

const embed = (format) => repeated(async () => {
  const reply = await client.embeddings.create({ model: "m", input: "x", ...format });
  if (reply.data[0].embedding.length !== 1536) throw new Error("no embedding");
});

const works = {
  chat: repeated(async () => {
    const reply = await client.chat.completions.create(question);
    if (!reply.choices[0].message.content) throw new Error("no text");
  }),

  stream: repeated(async () => {
    let chunks = 0;
    for await (const chunk of await client.chat.completions.create(streaming)) chunks += chunk.choices[0] ? 1 : 0;
    return chunks;
  }),

  collect: repeated(async () => {
    const reply = await client.chat.completions.stream(question).finalChatCompletion();
    return reply.choices[0].message.content.length / 5; // bytes in a chunk
  }),

  base64: embed({}), // the SDK asks for base64 by itself, and hands over numbers
  floats: embed({ encoding_format: "float" }),

  async messages(n) {
    const messages = Array.from({ length: size },
      (_, i) => ({ role: i % 2 === 0 ? "user" : "assistant", content: `Message ${i + 1} of them` }));
    for (let i = 0; i < n; i++) await client.chat.completions.create({ model: "gpt-4", messages });
    return n * size;
  },

  // A megabyte of events in feeds of `size` characters; the units are bytes.
  async sse(n) {
    const { createParser } = require("eventsource-parser");
    const text = ("data: " + "x".repeat(252) + "\n\n").repeat(4096);
    for (let i = 0; i < n; i++) {
      let events = 0;
      const parser = createParser({ onEvent: () => { events++; } });
      for (let at = 0; at < text.length; at += size) parser.feed(text.slice(at, at + size));
      if (events !== 4096) throw new Error(`${events} events`);
    }
    return n * text.length;
  },
};

const kb = (field) => Number(readFileSync("/proc/self/status", "utf8").match(new RegExp(`${field}:\\s+(\\d+)`))[1]);
const seconds = () => Number(process.hrtime.bigint()) / 1e9;
const cpu = () => { const used = process.cpuUsage(); return (used.user + used.system) / 1e6; };

async function streams() {
  const delays = [];
  let events = 0;
  const before = kb("VmRSS"), wall = seconds(), used = cpu();
  await Promise.all(Array.from({ length: times }, async (_, i) => {
    for await (const chunk of await client.chat.completions.create(streaming)) {
      events++;
      const moment = i % 10 === 0 ? Number(chunk.choices[0]?.delta?.content || NaN) : NaN;
      if (moment) delays.push(seconds() * 1e6 - moment / 1e3);
    }
  }));
  delays.sort((a, b) => a - b);
  const at = (part) => delays[Math.floor((delays.length - 1) * part)].toFixed(1);
  console.log(`${seconds() - wall} ${cpu() - used} ${events} p50=${at(0.5)} p99=${at(0.99)} ` +
    `rss=${(kb("VmHWM") - before) / times}`);
}

if (work === "streams") await streams();
else if (work !== "start") {
  if (warm > 0) await works[work](warm);
  const wall = seconds(), used = cpu(), units = await works[work](times);
  console.log(seconds() - wall, cpu() - used, units);
}
