---@meta llm_gateway
-- types/llm_gateway.lua: the types of the public contract, for editors and analysers (LuaCATS). It is never run.

-- ---------------------------------------------------------------------------------------------------------
-- Options

---What a client is made of; each field is optional.
---@class llm_gateway.Options : llm_gateway.CallOptions
---@field base_url? string where the gateway is (env LLM_GATEWAY_BASE_URL; http://localhost:8000)
---@field gateway? string|llm_gateway.Profile a profile's name, such as "litellm", or a table of one
---@field api_path? string what stands between base_url and "/chat/completions"; "" for nothing
---@field app_id? string goes out as X-App-ID and in the body
---@field proxy? string|false the proxy's URL; false for none
---@field ca_file? string a file of certificate authorities (env SSL_CERT_FILE)
---@field ca_path? string a folder of them
---@field client_cert? string a file with this client's certificate (mutual TLS)
---@field client_key? string a file with its key
---@field insecure? boolean true does not verify the server's certificate
---@field http_version? "1.1"|"2"
---@field max_response_bytes? number|false the largest reply, after decompression (64 MiB)
---@field max_event_bytes? number|false the largest event of a stream (16 MiB)
---@field on_request? fun(call: llm_gateway.Seen) before each attempt
---@field on_response? fun(call: llm_gateway.Seen) after each attempt
---@field on_retry? fun(call: llm_gateway.Seen) before each wait for another attempt
---@field loop? llm_gateway.Loop the loop that drives it (the default one)

---What a single call may be told; the same names are options of a client.
---@class llm_gateway.CallOptions
---@field headers? table<string, string|number|false> win over every default; false removes one
---@field org_id? string goes out as X-Org-ID and X-Organization-Id
---@field api_key? string|fun(): string?, string? the gateway's key, or a function of it (env LLM_GATEWAY_API_KEY)
---@field provider_key? string the provider's own key, as Authorization: Bearer
---@field timeout? number|false longest silence on the wire, in seconds (60)
---@field connect_timeout? number|false seconds until the request can be sent (10)
---@field event_timeout? number|false longest time without an event, in seconds
---@field total_timeout? number|false seconds for all attempts and the waits between them
---@field max_retries? integer how often a call is tried again (2)
---@field max_retry_delay? number|false the longest wait between two attempts, in seconds (20)
---@field retry_timeouts? boolean true repeats requests that were sent and not answered
---@field extra_body? table merged into the body last

---What a hook is told.
---@class llm_gateway.Seen
---@field method string
---@field url string without credentials and without what follows "?"
---@field attempt integer which attempt it is, from 1
---@field status? integer
---@field request_id? string
---@field timings? llm_gateway.Timings
---@field error? llm_gateway.Error
---@field delay? number seconds until the next attempt

---What the library knows of a gateway; CONTRIBUTING.md tells of each field.
---@class llm_gateway.Profile
---@field name? string
---@field api_path? string
---@field health_path? string

-- ---------------------------------------------------------------------------------------------------------
-- Requests

---@class llm_gateway.Part
---@field type string
---@field text? string
---@field image_url? {url: string, detail?: string}

---@class llm_gateway.Message
---@field role "system"|"developer"|"user"|"assistant"|"function"|"tool"
---@field content? string|llm_gateway.Part[]
---@field name? string
---@field function_call? table
---@field tool_calls? llm_gateway.ToolCall[]
---@field tool_call_id? string

---@class llm_gateway.ToolCall
---@field id string
---@field type string
---@field function {name: string, arguments: string}

---@class llm_gateway.ToolDefinition
---@field type "function"
---@field function {name: string, description?: string, parameters?: table}

---A chat request. Fields that are not listed go to the gateway as they are.
---@class llm_gateway.ChatRequest : llm_gateway.CallOptions
---@field messages llm_gateway.Message[]
---@field model? string ("gpt-4")
---@field temperature? number 0 to 2
---@field max_tokens? integer
---@field top_p? number 0 to 1
---@field frequency_penalty? number -2 to 2
---@field presence_penalty? number -2 to 2
---@field n? integer
---@field stop? string|string[]
---@field stream? boolean
---@field stream_options? table
---@field tools? llm_gateway.ToolDefinition[]
---@field tool_choice? string|table
---@field response_format? table a JSON Schema, or the API's own form of one
---@field reasoning? "low"|"medium"|"high"|false how long the model thinks
---@field seed? integer
---@field user? string
---@field app_id? string
---@field feature? string
---@field dry_run? boolean
---@field [string] any

---@class llm_gateway.StreamedChatRequest : llm_gateway.ChatRequest
---@field stream true

---@class llm_gateway.EmbeddingRequest : llm_gateway.CallOptions
---@field input string|string[]|integer[]|integer[][]|llm_gateway.Part[]
---@field model? string ("text-embedding-ada-002")
---@field encoding_format? "float"|"base64"
---@field dimensions? integer
---@field user? string
---@field app_id? string
---@field feature? string
---@field dry_run? boolean
---@field [string] any

---A request to any endpoint.
---@class llm_gateway.RawRequest : llm_gateway.CallOptions
---@field path string begins with one "/"
---@field method? "GET"|"HEAD"|"POST"|"PUT"|"PATCH"|"DELETE"|"OPTIONS" (POST)
---@field body? table|string a table is sent as JSON, a text as it is
---@field stream? boolean
---@field multipart? table<string|integer, any> fields by name: text, a number, a llm_gateway.FormFile, lists of such
---@field into? string a file for the answer's body, written as it comes
---@field on_progress? fun(bytes: {sent: integer, size: integer, received: integer})

---A file in a form: either its path, or its bytes.
---@class llm_gateway.FormFile
---@field path? string
---@field data? string
---@field filename? string
---@field type? string its media type

---A call that a model made, as tools and `approve` are told of it.
---@class llm_gateway.MadeCall
---@field id string
---@field name string
---@field arguments table decoded
---@field round integer
---@field function {name: string, arguments: string} as the model wrote it

---A tool that run_tools can run.
---@class llm_gateway.Tool
---@field name string
---@field description? string
---@field parameters? table a JSON Schema
---@field strict? boolean
---@field call fun(arguments: table, call: llm_gateway.MadeCall): any, any

---@class llm_gateway.RunToolsRequest : llm_gateway.CallOptions
---@field messages? llm_gateway.Message[] (api = "responses": `input`)
---@field tools llm_gateway.Tool[]
---@field model? string
---@field max_rounds? integer (10)
---@field timeout? number|false seconds for all of it
---@field approve? fun(call: llm_gateway.MadeCall): boolean?, string?
---@field api? "chat"|"responses"|"messages" which verb asks ("chat")
---@field stream? boolean
---@field [string] any

---@class llm_gateway.StreamedRunToolsRequest : llm_gateway.RunToolsRequest
---@field stream true

-- ---------------------------------------------------------------------------------------------------------
-- What comes back

---@class llm_gateway.Timings
---@field dns number seconds since the start, as all but `bytes`
---@field connect number
---@field tls number
---@field first_byte number
---@field total number
---@field bytes integer of the body, decoded

---@class llm_gateway.Bucket
---@field limit? number
---@field remaining? number
---@field reset? number|string as the gateway says it

---@class llm_gateway.Info
---@field status integer
---@field headers table<string, string> by lower-case name; look-ups ignore case
---@field request_id? string
---@field attempts integer
---@field timings llm_gateway.Timings
---@field cost? number in USD, as reported
---@field cache? "hit"|"miss"
---@field provider? string
---@field model? string
---@field upstream_attempts? integer
---@field rate_limit? table<string, llm_gateway.Bucket>
---@field usage? table of run_tools, the sum of all rounds

---The gateway's answer: its own fields, and these methods.
---@class llm_gateway.Reply
---@field [string] any
local Reply = {}

---The answer's text; "" where it has none.
---@return string
function Reply:text() end

---@return llm_gateway.Info
function Reply:info() end

---The value of a structured answer, checked by the request's response_format.
---@return any value
---@return llm_gateway.Error? err
function Reply:parsed() end

---The body's text as it came.
---@return string
function Reply:raw() end

---What the model thought: its text; "" where it has none.
---@return string text
---@return table? details
function Reply:reasoning() end

---@class llm_gateway.Usage
---@field prompt_tokens integer
---@field completion_tokens integer
---@field total_tokens integer

---@class llm_gateway.Choice
---@field index integer
---@field message llm_gateway.Message
---@field finish_reason? string

---@class llm_gateway.ChatReply : llm_gateway.Reply
---@field id string
---@field object string
---@field created integer
---@field model string
---@field choices llm_gateway.Choice[]
---@field usage? llm_gateway.Usage

---@class llm_gateway.EmbeddingReply : llm_gateway.Reply
---@field data {index: integer, embedding: number[]}[]
---@field model string
---@field usage? llm_gateway.Usage

---@class llm_gateway.Model
---@field id string
---@field owned_by? string

---@class llm_gateway.ChunkChoice
---@field index integer
---@field delta {role?: string, content?: string, tool_calls?: table[]}
---@field finish_reason? string

---A piece of a streamed chat.
---@class llm_gateway.Chunk
---@field choices llm_gateway.ChunkChoice[]
---@field usage? llm_gateway.Usage
---@field [string] any

---What a stream iterates: `for chunk in stream do`. Each is read once.
---@class llm_gateway.Stream
---@overload fun(): llm_gateway.Chunk
local Stream = {}

---The next chunk; nil at the end; nil, err when the stream broke.
---@return llm_gateway.Chunk? chunk
---@return llm_gateway.Error? err
function Stream:next() end

---For `for`: the text, piece by piece. Raises the error of a broken stream.
---@return fun(): string?
function Stream:texts() end

---Reads to the end: the whole reply.
---@return llm_gateway.ChatReply? reply
---@return llm_gateway.Error? err
function Stream:collect() end

---For `for`: the server's events as they came.
---@return fun(): {event: string, data: string, id: string}?
function Stream:events() end

---For `for`: the growing table of a structured answer.
---@return fun(): any
function Stream:partial() end

---What the model thought so far.
---@return string text
---@return table? details
function Stream:reasoning() end

---@return llm_gateway.Info
function Stream:info() end

---Closes the connection, so that the server stops.
function Stream:close() end

---What happens while tools are run.
---@class llm_gateway.ToolEvent
---@field type "text"|"tool_call"|"tool_result"|"done"
---@field text? string of "text"
---@field id? string of "tool_call" and "tool_result"
---@field name? string of "tool_call" and "tool_result"
---@field arguments? string of "tool_call": as the model wrote them
---@field content? string of "tool_result": what the model reads
---@field failed? boolean of "tool_result"
---@field call? llm_gateway.MadeCall of "tool_call" and "tool_result"
---@field reply? llm_gateway.ChatReply of "done"
---@field messages? llm_gateway.Message[] of "done": the whole conversation
---@field usage? llm_gateway.Usage of "done": the sum of all rounds

---What run_tools gives with stream = true: `for event in run do`.
---@class llm_gateway.ToolRun
---@overload fun(): llm_gateway.ToolEvent
local ToolRun = {}

---The next event; nil at the end; nil, err, messages when it failed.
---@return llm_gateway.ToolEvent? event
---@return llm_gateway.Error? err
---@return llm_gateway.Message[]? messages
function ToolRun:next() end

---Ends it: closes its stream and cancels the tools that are running.
function ToolRun:close() end

-- ---------------------------------------------------------------------------------------------------------
-- Errors

---@alias llm_gateway.Kind
---| "authentication" # no key, or a wrong one
---| "rate_limit" # too many requests; retry_after says when to come back
---| "validation" # the request is wrong; field names what
---| "not_found" # no such model or path
---| "policy_denied" # a policy or guardrail refused; policy_name names it
---| "budget_exceeded" # the money is gone; limit and current tell
---| "server" # the gateway or its provider failed
---| "timeout" # a clock ran out
---| "connection" # no answer came
---| "stream" # a stream broke; partial has the text before
---| "cancelled" # the task, client or loop was closed
---| "task" # a task raised something of its own

---@class llm_gateway.Error
---@field kind llm_gateway.Kind
---@field message string
---@field status? integer HTTP's
---@field code? string the gateway's
---@field retry_after? number seconds
---@field policy_name? string
---@field limit? number
---@field current? number
---@field budget_type? string
---@field retryable boolean whether an unchanged repeat makes sense
---@field attempts? integer
---@field request_id? string
---@field headers? table<string, string>
---@field body? any
---@field partial? string choice 0's text before a stream broke
---@field field? string the field that failed a check, as "messages[2].role"
---@field cause? any of kind "task": what was raised
---@field traceback? string of kind "task"

-- ---------------------------------------------------------------------------------------------------------
-- Clients

---@class llm_gateway.Client
local Client = {}

---Asks for a chat completion. With stream = true it returns what `for` takes.
---@param request llm_gateway.ChatRequest
---@return llm_gateway.ChatReply? reply
---@return llm_gateway.Error? err
---@overload fun(self: self, request: llm_gateway.StreamedChatRequest): llm_gateway.Stream?, llm_gateway.Error?
function Client:chat(request) end

---Asks for a response in the Responses dialect.
---@param request table
---@return llm_gateway.Reply|llm_gateway.Stream|nil
---@return llm_gateway.Error? err
function Client:responses(request) end

---Asks for a message in the Anthropic Messages dialect.
---@param request table
---@return llm_gateway.Reply|llm_gateway.Stream|nil
---@return llm_gateway.Error? err
function Client:messages(request) end

---@param request llm_gateway.EmbeddingRequest
---@return llm_gateway.EmbeddingReply? reply
---@return llm_gateway.Error? err
function Client:embeddings(request) end

---@param options? llm_gateway.CallOptions
---@return llm_gateway.Model[]? models
---@return llm_gateway.Error? err
function Client:models(options) end

---How the gateway is. Never retried.
---@param options? llm_gateway.CallOptions
---@return llm_gateway.Reply? reply
---@return llm_gateway.Error? err
function Client:health(options) end

---Sends any request.
---@param request llm_gateway.RawRequest
---@return any
---@return llm_gateway.Error? err
function Client:request(request) end

---Chats until the model calls no more tools.
---@param request llm_gateway.RunToolsRequest
---@return llm_gateway.ChatReply? reply the last one
---@return any messages the whole conversation; or the error
---@return llm_gateway.Message[]? messages where it failed
---@overload fun(self: self, request: llm_gateway.StreamedRunToolsRequest): llm_gateway.ToolRun?, llm_gateway.Error?
function Client:run_tools(request) end

---The same client with other options; it shares the connections.
---@param options llm_gateway.Options
---@return llm_gateway.Client
function Client:with(options) end

---Closes this client's transfers, not its loop.
function Client:close() end

-- ---------------------------------------------------------------------------------------------------------
-- Conversations

---@class llm_gateway.ConversationOptions
---@field model? string
---@field system? string
---@field max_messages? integer
---@field messages? llm_gateway.Message[]|string a list, or the JSON text of one
---@field api? "chat"|"responses"|"messages"
---@field stream? boolean
---@field [string] any

---@class llm_gateway.Conversation
---@field messages llm_gateway.Message[]
local Conversation = {}

---Says something and keeps the answer. A turn that failed leaves the history as it was.
---@param message string|llm_gateway.Message
---@param options? table
---@return any reply a reply, or with stream = true a stream
---@return llm_gateway.Error? err
function Conversation:say(message, options) end

---@return llm_gateway.Conversation
function Conversation:fork() end

---The messages as JSON text.
---@return string
function Conversation:json() end

-- ---------------------------------------------------------------------------------------------------------
-- Loops and tasks

---@class llm_gateway.Task
local Task = {}

---What the task's function returned; or nil, err.
---@return any ...
function Task:join() end

---@return llm_gateway.Task
function Task:cancel() end

---@param fn fun(...: any) is called with what join would return
---@return llm_gateway.Task
function Task:on_done(fn) end

---@return "pending"|"running"|"done"|"failed"|"cancelled"
function Task:status() end

---What map gives: by index; n is their number.
---@class llm_gateway.Results
---@field n integer
---@field [integer] any

---@class llm_gateway.Loop
---@field on_busy? fun(loop: llm_gateway.Loop)
---@field on_idle? fun(loop: llm_gateway.Loop)
---@field on_error? fun(err: any, task?: llm_gateway.Task)
local Loop = {}

---@return integer? fd readable when step(0) has something to do; nil where there is none
function Loop:fd() end

---@param timeout? number seconds to wait at most; nil: as long as it takes
---@param budget? number seconds of work at most
---@return boolean pending
function Loop:step(timeout, budget) end

---@return boolean
function Loop:pending() end

---@param fn function
---@return llm_gateway.Task
function Loop:spawn(fn, ...) end

---@param fn function
---@return any ... what fn returned
function Loop:run(fn, ...) end

---@param seconds number
function Loop:sleep(seconds) end

---@param list any[]
---@param options {concurrency?: integer, stop_on_error?: boolean}
---@param fn fun(item: any, index: integer): any, any
---@return llm_gateway.Results results
---@return table<integer, any>? errors by index
---@overload fun(self: self, list: any[], fn: fun(item: any, index: integer): any, any): llm_gateway.Results, table?
function Loop:map(list, options, fn) end

---Cancels the tasks and closes every connection.
function Loop:close() end

-- ---------------------------------------------------------------------------------------------------------
-- The module

---@class llm_gateway
---@field _VERSION string
---@field null any JSON's null
---@field json {encode: fun(value: any): (string?, string?, string?), decode: fun(text: string): (any, string?)}
local llm = {}

---@param options? llm_gateway.Options
---@return llm_gateway.Client
function llm.new(options) end

---@param client llm_gateway.Client
---@param options? llm_gateway.ConversationOptions
---@return llm_gateway.Conversation
function llm.conversation(client, options) end

---Whether a value is one of this library's errors.
---@param value any
---@return boolean
function llm.is_error(value) end

---assert for every Lua: its arguments when the first is true, else it raises the second.
---@generic T
---@param value? T
---@param ... any
---@return T
---@return any ...
function llm.assert(value, ...) end

---reply:text(), should the gateway's own field bear that name.
---@param reply table
---@return string
function llm.text(reply) end

---@param reply table
---@return llm_gateway.Info?
function llm.info(reply) end

---@param reply table
---@return any value
---@return llm_gateway.Error? err
function llm.parsed(reply) end

---@param reply table
---@return string
function llm.raw(reply) end

---@param reply table
---@return string text
---@return table? details
function llm.reasoning(reply) end

---Marks a table (a new one by default) as a list, so that it is sent as [] even when empty.
---@param list? table
---@return table
function llm.array(list) end

---@param message table
---@return llm_gateway.Message? message
---@return llm_gateway.Error? err
function llm.ChatMessage(message) end

---@param request table
---@return llm_gateway.ChatRequest? request
---@return llm_gateway.Error? err
function llm.ChatCompletionRequest(request) end

---@param request table
---@return llm_gateway.EmbeddingRequest? request
---@return llm_gateway.Error? err
function llm.EmbeddingRequest(request) end

---The default loop.
---@return llm_gateway.Loop
function llm.loop() end

---@return llm_gateway.Loop
function llm.new_loop() end

---@return integer?
function llm.fd() end

---@param timeout? number
---@param budget? number
---@return boolean pending
function llm.step(timeout, budget) end

---@return boolean
function llm.pending() end

---@param fn function
---@return any ...
function llm.run(fn, ...) end

---@param fn function
---@return llm_gateway.Task
function llm.spawn(fn, ...) end

---@param list any[]
---@param options {concurrency?: integer, stop_on_error?: boolean}
---@param fn fun(item: any, index: integer): any, any
---@return llm_gateway.Results results
---@return table<integer, any>? errors
---@overload fun(list: any[], fn: fun(item: any, index: integer): any, any): llm_gateway.Results, table<integer, any>?
function llm.map(list, options, fn) end

---@param seconds number
function llm.sleep(seconds) end

---Closes the default loop.
function llm.close() end

return llm
