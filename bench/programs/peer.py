"""peer.py: works of the benchmark with OpenAI's SDK for Python, as its page shows them.

    build/bench/peers/python/bin/python peer.py WORK URL TIMES WARM [SIZE]     prints a line (see measure.lua)
"""
import asyncio
import sys
import time

import openai

work, url, times, warm = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
size = int(sys.argv[5]) if len(sys.argv) > 5 else 0
question = {"model": "gpt-4", "messages": [{"role": "user", "content": "Hello!"}]}
client = openai.OpenAI(api_key="bench", base_url=url + "/v1", max_retries=0)


def repeated(fn):
    def run(n):
        units = 0
        for _ in range(n):
            units += fn() or 1
        return units
    return run


def chat():
    assert client.chat.completions.create(**question).choices[0].message.content


def stream():
    return sum(1 for chunk in client.chat.completions.create(**question, stream=True) if chunk.choices)


def collect():
    with client.chat.completions.stream(**question) as events:
        return len(events.get_final_completion().choices[0].message.content) // 5  # bytes in a chunk


def embed(**options):
    def run():
        assert len(client.embeddings.create(model="m", input="x", **options).data[0].embedding) == 1536
    return repeated(run)


def messages(n):
    many = [{"role": "assistant" if i % 2 else "user", "content": f"Message {i + 1} of them"} for i in range(size)]
    for _ in range(n):
        client.chat.completions.create(model="gpt-4", messages=many)
    return n * size


WORKS = {
    "chat": repeated(chat), "stream": repeated(stream), "collect": repeated(collect), "messages": messages,
    "base64": embed(), "floats": embed(encoding_format="float"),  # the SDK asks for base64 by itself
}


def kb(field):
    with open("/proc/self/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith(field))


async def streams():
    many = openai.AsyncOpenAI(api_key="bench", base_url=url + "/v1", max_retries=0)
    delays, events = [], 0

    async def read(timed):
        nonlocal events
        async for chunk in await many.chat.completions.create(**question, stream=True):
            events += 1
            text = chunk.choices[0].delta.content if timed and chunk.choices else None
            if text and text.isdigit():
                delays.append((time.monotonic_ns() - int(text)) / 1e3)

    before, wall, cpu = kb("VmRSS"), time.monotonic(), time.process_time()
    await asyncio.gather(*(read(i % 10 == 0) for i in range(times)))
    delays.sort()
    print(time.monotonic() - wall, time.process_time() - cpu, events, f"p50={delays[len(delays) // 2]}",
          f"p99={delays[len(delays) * 99 // 100]}", f"rss={(kb('VmHWM') - before) / times}")


def main():
    if work == "start":
        return
    if work == "streams":
        asyncio.run(streams())
        return
    if warm:
        WORKS[work](warm)
    wall, cpu = time.monotonic(), time.process_time()
    units = WORKS[work](times)
    print(time.monotonic() - wall, time.process_time() - cpu, units)


main()
