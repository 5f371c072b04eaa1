rockspec_format = "3.0"
package = "llm-gateway"
version = "scm-1"
source = {
  url = "git+file:///path/to/llm-gateway", -- `luarocks make` in a checkout needs none
}
description = {
  summary = "A client for LLM gateways: streaming, exact errors, tasks that never block",
  detailed = [[
Lets any plain Lua program talk to an LLM gateway that speaks the OpenAI API: chat, streaming, embeddings, models
and health, with errors as tables (policy, budget, rate limit), blocking or in tasks on one file descriptor.
]],
  license = "MIT",
}
dependencies = {
  "lua >= 5.1",
  "lua-cjson >= 2.1.0",
}
external_dependencies = {
  CURL = { library = "curl" },
}
build = {
  type = "builtin",
  modules = {
    ["llm_gateway.core"] = {
      sources = {
        "src/buffer.c", "src/clock.c", "src/loop.c", "src/mem.c", "src/poller_epoll.c", "src/poller_multi.c",
        "src/sse.c", "src/transfer.c", "src/transfer_http.c",
        "src/lclient.c", "src/lcore.c", "src/lloop.c", "src/lsse.c", "src/ltransfer.c",
      },
      libraries = { "curl" },
      incdirs = { "src", "$(CURL_INCDIR)" },
      libdirs = { "$(CURL_LIBDIR)" },
    },
  },
  install = {
    lua = {
      ["llm_gateway"] = "lua/llm_gateway/init.lua",
      ["llm_gateway.call"] = "lua/llm_gateway/call/init.lua",
      ["llm_gateway.call.exchange"] = "lua/llm_gateway/call/exchange.lua",
      ["llm_gateway.call.hooks"] = "lua/llm_gateway/call/hooks.lua",
      ["llm_gateway.call.retry"] = "lua/llm_gateway/call/retry.lua",
      ["llm_gateway.client"] = "lua/llm_gateway/client.lua",
      ["llm_gateway.devgateway"] = "lua/llm_gateway/devgateway/init.lua",
      ["llm_gateway.devgateway.arithmetic"] = "lua/llm_gateway/devgateway/arithmetic.lua",
      ["llm_gateway.devgateway.brain"] = "lua/llm_gateway/devgateway/brain.lua",
      ["llm_gateway.devgateway.catalog"] = "lua/llm_gateway/devgateway/catalog.lua",
      ["llm_gateway.devgateway.checks"] = "lua/llm_gateway/devgateway/checks.lua",
      ["llm_gateway.devgateway.completion"] = "lua/llm_gateway/devgateway/completion.lua",
      ["llm_gateway.devgateway.exchange"] = "lua/llm_gateway/devgateway/exchange.lua",
      ["llm_gateway.devgateway.faults"] = "lua/llm_gateway/devgateway/faults.lua",
      ["llm_gateway.devgateway.files"] = "lua/llm_gateway/devgateway/files.lua",
      ["llm_gateway.devgateway.framed"] = "lua/llm_gateway/devgateway/framed.lua",
      ["llm_gateway.devgateway.guard"] = "lua/llm_gateway/devgateway/guard.lua",
      ["llm_gateway.devgateway.lab"] = "lua/llm_gateway/devgateway/lab.lua",
      ["llm_gateway.devgateway.launch"] = "lua/llm_gateway/devgateway/launch.lua",
      ["llm_gateway.devgateway.main"] = "lua/llm_gateway/devgateway/main.lua",
      ["llm_gateway.devgateway.misdeeds"] = "lua/llm_gateway/devgateway/misdeeds.lua",
      ["llm_gateway.devgateway.raw"] = "lua/llm_gateway/devgateway/raw.lua",
      ["llm_gateway.devgateway.refusals"] = "lua/llm_gateway/devgateway/refusals.lua",
      ["llm_gateway.devgateway.routes"] = "lua/llm_gateway/devgateway/routes.lua",
      ["llm_gateway.devgateway.server"] = "lua/llm_gateway/devgateway/server.lua",
      ["llm_gateway.devgateway.tools"] = "lua/llm_gateway/devgateway/tools.lua",
      ["llm_gateway.devgateway.vectors"] = "lua/llm_gateway/devgateway/vectors.lua",
      ["llm_gateway.devgateway.words"] = "lua/llm_gateway/devgateway/words.lua",
      ["llm_gateway.errors"] = "lua/llm_gateway/errors/init.lua",
      ["llm_gateway.errors.classify"] = "lua/llm_gateway/errors/classify.lua",
      ["llm_gateway.errors.dates"] = "lua/llm_gateway/errors/dates.lua",
      ["llm_gateway.errors.fields"] = "lua/llm_gateway/errors/fields.lua",
      ["llm_gateway.errors.retry_after"] = "lua/llm_gateway/errors/retry_after.lua",
      ["llm_gateway.errors.scalars"] = "lua/llm_gateway/errors/scalars.lua",
      ["llm_gateway.errors.transport"] = "lua/llm_gateway/errors/transport.lua",
      ["llm_gateway.errors.unwrap"] = "lua/llm_gateway/errors/unwrap.lua",
      ["llm_gateway.http.base64"] = "lua/llm_gateway/http/base64.lua",
      ["llm_gateway.http.fields"] = "lua/llm_gateway/http/fields.lua",
      ["llm_gateway.http.proxy_choice"] = "lua/llm_gateway/http/proxy_choice.lua",
      ["llm_gateway.http.url"] = "lua/llm_gateway/http/url.lua",
      ["llm_gateway.json"] = "lua/llm_gateway/json/init.lua",
      ["llm_gateway.json.encode"] = "lua/llm_gateway/json/encode.lua",
      ["llm_gateway.json.surrogates"] = "lua/llm_gateway/json/surrogates.lua",
      ["llm_gateway.loop"] = "lua/llm_gateway/loop/init.lua",
      ["llm_gateway.loop.coroutines"] = "lua/llm_gateway/loop/coroutines.lua",
      ["llm_gateway.loop.cqueues"] = "lua/llm_gateway/loop/cqueues.lua",
      ["llm_gateway.loop.host"] = "lua/llm_gateway/loop/host.lua",
      ["llm_gateway.loop.luv"] = "lua/llm_gateway/loop/luv.lua",
      ["llm_gateway.loop.state"] = "lua/llm_gateway/loop/state.lua",
      ["llm_gateway.loop.step"] = "lua/llm_gateway/loop/step.lua",
      ["llm_gateway.loop.task"] = "lua/llm_gateway/loop/task.lua",
      ["llm_gateway.loop.tasks"] = "lua/llm_gateway/loop/tasks.lua",
      ["llm_gateway.loop.timers"] = "lua/llm_gateway/loop/timers.lua",
      ["llm_gateway.loop.wait"] = "lua/llm_gateway/loop/wait.lua",
      ["llm_gateway.options"] = "lua/llm_gateway/options.lua",
      ["llm_gateway.reply"] = "lua/llm_gateway/reply/init.lua",
      ["llm_gateway.reply.assemble"] = "lua/llm_gateway/reply/assemble.lua",
      ["llm_gateway.reply.chunk_reader"] = "lua/llm_gateway/reply/chunk_reader.lua",
      ["llm_gateway.reply.results"] = "lua/llm_gateway/reply/results.lua",
      ["llm_gateway.reply.stream"] = "lua/llm_gateway/reply/stream.lua",
      ["llm_gateway.request.headers"] = "lua/llm_gateway/request/headers.lua",
      ["llm_gateway.request.models"] = "lua/llm_gateway/request/models.lua",
      ["llm_gateway.request.schema"] = "lua/llm_gateway/request/schema.lua",
      ["llm_gateway.secrets"] = "lua/llm_gateway/secrets.lua",
      ["llm_gateway.sse"] = "lua/llm_gateway/sse.lua",
    },
    bin = { ["llm-gateway-dev"] = "lua/llm_gateway/devgateway/main.lua" },
  },
}
test = {
  type = "command",
  command = "sh spec/run.sh",
}
