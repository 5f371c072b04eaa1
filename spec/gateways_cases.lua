-- gateways_cases.lua: refusals as gateways and providers write them, for errors_spec.lua; see errors_cases.lua.
-- Taken from their documentation, their sources and their users' reports in November 2026.
-- luacheck: no max line length

return {
  -- bifrost
  {
    name = "bifrost token limit", status = 429,
    body = [[{"type":"token_limited","status_code":429,"error":{"message":"rate limit violated for VK: [token limit exceeded (1500/1000, resets every 1h)]"}}]],
    expect = { current = 1500, kind = "rate_limit", limit = 1000 },
  },
  {
    name = "bifrost request limit", status = 429,
    body = [[{"type":"request_limited","status_code":429,"error":{"message":"rate limit violated for provider: [request limit exceeded (100/100, resets every 1m)]"}}]],
    expect = { current = 100, kind = "rate_limit", limit = 100 },
  },
  {
    name = "bifrost provider blocked", status = 403,
    body = [[{"type":"provider_blocked","status_code":403,"error":{"message":"Provider 'openai' is not allowed for virtual key 'k'"}}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "bifrost vk missing", status = 403,
    body = [[{"type":"virtual_key_not_found","status_code":403,"error":{"message":"virtual key not found"}}]],
    expect = { kind = "authentication" },
  },
  {
    name = "bifrost vk blocked", status = 403,
    body = [[{"type":"virtual_key_blocked","status_code":403,"error":{"message":"virtual key is inactive"}}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "bifrost team budget", status = 402,
    body = [[{"type":"budget_exceeded","status_code":402,"error":{"message":"Budget exceeded: Team budget exceeded: 12.3400 > 10.0000 dollars"}}]],
    expect = { current = 12.34, kind = "budget_exceeded", limit = 10 },
  },
  -- higress
  {
    name = "higress no quota available", status = 403,
    body = [[{"code":"ai-gateway.noquota","message":"Request denied by ai quota check, No quota available","success":false}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "higress unauthorized consumer", status = 403,
    body = [[Request denied by ai quota check. Unauthorized consumer.]],
    expect = { kind = "authentication" },
  },
  {
    name = "higress key auth", status = 401,
    body = [[Request denied by Key Auth check. No API key found in request]],
    expect = { kind = "authentication" },
  },
  {
    name = "higress invalid token", status = 401,
    body = [[{"code":"ai-gateway.invalid_token","message":"Invalid JWT token format","success":false}]],
    expect = { code = "ai-gateway.invalid_token", kind = "authentication" },
  },
  -- kong
  {
    name = "kong prompt guard", status = 400,
    body = [[{"error":{"message":"prompt pattern is blocked"}}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "kong allow", status = 400,
    body = [[{"error":{"message":"prompt doesn't match any allowed pattern"}}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "kong key", status = 401,
    body = [[{"message":"No API key found in request","request_id":"k"}]],
    expect = { kind = "authentication", request_id = "k" },
  },
  {
    name = "kong minute ai", status = 429,
    headers = { ["x-ai-ratelimit-limit-minute-bedrock"] = "500", ["x-ai-ratelimit-remaining-minute-bedrock"] = "0", ["x-ai-ratelimit-reset"] = "8", ["x-ai-ratelimit-reset-minute-bedrock"] = "8", ["x-ai-ratelimit-retry-after"] = "8", ["x-ai-ratelimit-retry-after-minute-bedrock"] = "8", ["x-kong-request-id"] = "67" },
    body = [[{"message":"AI token rate limit exceeded for provider(s): bedrock"}]],
    expect = { current = 500, kind = "rate_limit", limit = 500, request_id = "67", retry_after = 8 },
  },
  {
    name = "kong no upstream", status = 503,
    body = [[{"message":"failure to get a peer from the ring-balancer","request_id":"q"}]],
    expect = { kind = "server", retryable = true },
  },
  -- litellm
  {
    name = "litellm token budget", status = 422,
    body = [[{"error":{"message":"ExceededTokenBudget: Current spend for token: 7.2; Max Budget for Token: 2.0","type":"budget_exceeded","code":"422"}}]],
    expect = { current = 7.2, kind = "budget_exceeded", limit = 2 },
  },
  {
    name = "litellm model budget", status = 429,
    body = [[{"error":{"message":"LiteLLM Virtual Key: abc, key_alias: None, exceeded budget for model=gpt-4","type":"budget_exceeded","param":null,"code":"429"}}]],
    expect = { kind = "budget_exceeded", retryable = false },
  },
  {
    name = "litellm user budget no type", status = 400,
    body = [[{"error":{"message":"ExceededBudget: User=512837 over budget. Spend=15.0, Budget=15.0","type":"None","param":"None","code":"400"}}]],
    expect = { current = 15, kind = "budget_exceeded", limit = 15 },
  },
  {
    name = "litellm provider budget", status = 429,
    body = [[{"error":{"message":"No deployments available - crossed budget: Exceeded budget for provider openai: 12.5 >= 10.0","type":"None","param":"None","code":"429"}}]],
    expect = { current = 12.5, kind = "budget_exceeded", limit = 10 },
  },
  {
    name = "litellm key model", status = 401,
    body = [[{"error":{"message":"key not allowed to access model. This key can only access models=['gpt-4']. Tried to access claude","type":"key_model_access_denied","param":"model","code":"401"}}]],
    expect = { kind = "authentication" },
  },
  {
    name = "litellm tpm", status = 429,
    headers = { ["retry-after"] = "40" },
    body = [[{"error":{"message":"litellm.RateLimitError: Crossed TPM / RPM / Max Parallel Request Limit for key","type":"None","param":"None","code":"429"}}]],
    expect = { kind = "rate_limit", retry_after = 40 },
  },
  {
    name = "litellm context", status = 400,
    body = [[{"error":{"message":"litellm.ContextWindowExceededError: litellm.BadRequestError: OpenAIException - {\"error\":{\"message\":\"This model's maximum context length is 128000 tokens. However, your messages resulted in 150010 tokens. Please reduce the length of the messages.\",\"type\":\"invalid_request_error\",\"param\":\"messages\",\"code\":\"context_length_exceeded\"}}","type":"invalid_request_error","param":"messages","code":"400"}}]],
    expect = { current = 150010, field = "messages", kind = "validation", limit = 128000, retryable = false },
  },
  {
    name = "litellm presidio 400", status = 400,
    body = [[{"error":{"message":"{'error': \"Blocked entity detected: EMAIL_ADDRESS by Guardrail: presidio-pii. This entity is not allowed to be used in this request.\"}","type":"None","param":"None","code":"400"}}]],
    expect = { kind = "policy_denied", policy_name = "presidio-pii" },
  },
  {
    name = "litellm lakera v2", status = 400,
    body = [[{"error":{"message":"{'error': 'Violated guardrail policy', 'lakera_guardrail_response': {'flagged': True}}","type":"None","param":"None","code":"400"}}]],
    expect = { kind = "policy_denied", message = "Violated guardrail policy" },
  },
  {
    name = "litellm 500 upstream quota", status = 500,
    body = [[{"error":{"message":"litellm.InternalServerError: AnthropicException - {\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"message\":\"Your credit balance is too low to access the Anthropic API.\"}}","type":null,"param":null,"code":"500"}}]],
    expect = { kind = "budget_exceeded", retryable = false },
  },
  {
    name = "portkey has no responses for it", status = 500,
    headers = { ["x-portkey-gateway-exception"] = "true" },
    body = [[{"status":"failure","message":"createModelResponse is not supported by anthropic"}]],
    expect = { kind = "validation", retryable = false, status = 500 },
  },
  {
    name = "litellm ollama breaks off", status = 400,
    body = [[{"error":{"message":"litellm.BadRequestError: Ollama_chatException - KeyError: 'message', Got unexpected response from Ollama: {'error': 'an error was encountered while running the model: CUDA error: out of memory'}","type":null,"param":null,"code":"400"}}]],
    expect = { code = false, kind = "server" },
  },
  {
    name = "litellm bedrock quota", status = 400,
    body = [[{"error":{"message":"litellm.BadRequestError: BedrockException - {\"message\":\"Your request exceeds the service quota for your account.\"}\n\nLiteLLM: model group 'bedrock' failed with the error above. No fallback was attempted.","type":"invalid_request_error","param":null,"code":"400"}}]],
    expect = { kind = "budget_exceeded", retryable = false },
  },
  {
    name = "litellm vertex quota", status = 429,
    body = [[{"error":{"message":"litellm.RateLimitError: litellm.RateLimitError: vertex_ai_betaException - {\n  \"error\": {\n    \"code\": 429,\n    \"message\": \"You exceeded your current quota, please check your plan and billing details. * Quota exceeded for metric: x, limit: 0\\nPlease retry in 12.5s.\",\n    \"status\": \"RESOURCE_EXHAUSTED\"\n  }\n}\n. Received Model Group=x","type":"throttling_error","param":null,"code":"429"}}]],
    expect = { kind = "rate_limit", retry_after = 12.5 },
  },
  -- anthropic
  {
    name = "anthropic too long", status = 400,
    body = [[{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 205000 tokens > 200000 maximum"}}]],
    expect = { current = 205000, kind = "validation", limit = 200000 },
  },
  {
    name = "anthropic 413", status = 413,
    body = [[{"type":"error","error":{"type":"request_too_large","message":"Request exceeds the maximum size"}}]],
    expect = { kind = "validation", retryable = false },
  },
  {
    name = "anthropic permission", status = 403,
    body = [[{"type":"error","error":{"type":"permission_error","message":"Your API key does not have permission"}}]],
    expect = { kind = "authentication" },
  },
  {
    name = "anthropic rate", status = 429,
    headers = { ["anthropic-ratelimit-input-tokens-limit"] = "30000", ["anthropic-ratelimit-input-tokens-remaining"] = "0", ["anthropic-ratelimit-input-tokens-reset"] = "2030-01-01T00:00:00Z", ["retry-after"] = "30" },
    body = [[{"type":"error","error":{"type":"rate_limit_error","message":"This request would exceed your organization's rate limit of 30,000 input tokens per minute"}}]],
    expect = { kind = "rate_limit", limit = 30000, retry_after = 30 },
  },
  {
    name = "anthropic field", status = 400,
    body = [[{"type":"error","error":{"type":"invalid_request_error","message":"messages.0.content: Field required"}}]],
    expect = { field = "messages[1].content", kind = "validation" },
  },
  {
    name = "anthropic field max_tokens", status = 400,
    body = [[{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: Field required"}}]],
    expect = { field = "max_tokens", kind = "validation" },
  },
  {
    name = "anthropic billing error", status = 402,
    body = [[{"type":"error","error":{"type":"billing_error","message":"Your credit"}}]],
    expect = { kind = "budget_exceeded" },
  },
  -- openai
  {
    name = "openai tpm", status = 429,
    body = [[{"error":{"message":"Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Used 29500, Requested 1000. Please try again in 1s. Visit https://platform.openai.com/account/rate-limits to learn more.","type":"tokens","param":null,"code":"rate_limit_exceeded"}}]],
    expect = { current = 29500, kind = "rate_limit", limit = 30000, retry_after = 1 },
  },
  {
    name = "openai rpd", status = 429,
    body = [[{"error":{"message":"Rate limit reached for gpt-4 on requests per day (RPD): Limit 200, Used 200, Requested 1. Please try again in 7m12s.","type":"requests","param":null,"code":"rate_limit_exceeded"}}]],
    expect = { kind = "rate_limit", limit = 200, retry_after = 432 },
  },
  {
    name = "openai old style", status = 429,
    body = [[{"error":{"message":"Rate limit reached for gpt-3.5-turbo on tokens per min. Limit: 10000.000000 / min. Current: 10020.000000 / min.","type":"tokens","param":null,"code":null}}]],
    expect = { current = 10020, kind = "rate_limit", limit = 10000 },
  },
  {
    name = "openai context", status = 400,
    body = [[{"error":{"message":"This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please reduce the length of the messages.","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}]],
    expect = { current = 9000, field = "messages", kind = "validation", limit = 8192 },
  },
  {
    name = "openai hard limit", status = 400,
    body = [[{"error":{"message":"Billing hard limit has been reached","type":"invalid_request_error","param":null,"code":"billing_hard_limit_reached"}}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "openai region", status = 403,
    body = [[{"error":{"message":"Country, region, or territory not supported","type":"request_forbidden","param":null,"code":"unsupported_country_region_territory"}}]],
    expect = { kind = "authentication" },
  },
  {
    name = "openai 503 slow down", status = 503,
    body = [[{"error":{"message":"Slow Down","type":"server_error","param":null,"code":null}}]],
    expect = { kind = "server", retryable = true },
  },
  {
    name = "openai dotted", status = 400,
    body = [[{"error":{"message":"x","type":"invalid_request_error","param":"messages.[2].content.[0].type","code":"invalid_value"}}]],
    expect = { field = "messages[3].content[1].type" },
  },
  {
    name = "openai tools param", status = 400,
    body = [[{"error":{"message":"x","type":"invalid_request_error","param":"tools[0].function.parameters","code":"invalid_function_parameters"}}]],
    expect = { field = "tools[1].function.parameters" },
  },
  -- azure
  {
    name = "azure s0", status = 429,
    headers = { ["retry-after"] = "6" },
    body = [[{"error":{"code":"429","message":"Requests to the ChatCompletions_Create Operation under Azure OpenAI API version 2024-02-01 have exceeded token rate limit of your current OpenAI S0 pricing tier. Please retry after 6 seconds."}}]],
    expect = { kind = "rate_limit", retry_after = 6 },
  },
  {
    name = "apim token limit", status = 429,
    headers = { ["retry-after"] = "21" },
    body = [[{"statusCode":429,"message":"Token limit is exceeded. Try again in 21 seconds."}]],
    expect = { kind = "rate_limit", retry_after = 21 },
  },
  {
    name = "apim rate", status = 429,
    body = [[{ "statusCode": 429, "message": "Rate limit is exceeded. Try again in 21 minutes and 33 seconds." }]],
    expect = { kind = "rate_limit", retry_after = 1293 },
  },
  {
    name = "apim quota hours", status = 403,
    body = [[{"statusCode":403,"message":"Token quota is exceeded. Try again in 12 hours."}]],
    expect = { kind = "budget_exceeded", retry_after = 43200, retryable = false },
  },
  {
    name = "apim 401", status = 401,
    body = [[{"statusCode":401,"message":"Access denied due to missing subscription key. Make sure to include subscription key when making requests to an API."}]],
    expect = { kind = "authentication" },
  },
  {
    name = "azure 401", status = 401,
    body = [[{"error":{"code":"401","message":"Access denied due to invalid subscription key or wrong API endpoint."}}]],
    expect = { kind = "authentication" },
  },
  {
    name = "azure deployment", status = 404,
    body = [[{"error":{"code":"DeploymentNotFound","message":"The API deployment for this resource does not exist."}}]],
    expect = { code = "DeploymentNotFound", kind = "not_found" },
  },
  -- gemini
  {
    name = "gemini exhausted project", status = 429,
    body = [[{"error":{"code":429,"message":"Resource exhausted. Please try again later.","status":"RESOURCE_EXHAUSTED"}}]],
    expect = { code = "RESOURCE_EXHAUSTED", kind = "rate_limit" },
  },
  {
    name = "gemini field", status = 400,
    body = [[{"error":{"code":400,"message":"Invalid value","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents[0].parts","description":"empty"}]}]}}]],
    expect = { code = "INVALID_ARGUMENT", field = "contents[1].parts", kind = "validation" },
  },
  {
    name = "gemini tokens", status = 400,
    body = [[{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}]],
    expect = { kind = "validation", limit = 1048576 },
  },
  {
    name = "gemini permission", status = 403,
    body = [[{"error":{"code":403,"message":"Permission denied: Consumer 'x' has been suspended.","status":"PERMISSION_DENIED","details":[{"reason":"CONSUMER_SUSPENDED"}]}}]],
    expect = { code = "CONSUMER_SUSPENDED", kind = "authentication" },
  },
  {
    name = "gemini deadline", status = 504,
    body = [[{"error":{"code":504,"message":"Deadline expired","status":"DEADLINE_EXCEEDED"}}]],
    expect = { kind = "timeout" },
  },
  {
    name = "gemini unavailable", status = 503,
    body = [[{"error":{"code":503,"message":"The model is overloaded. Please try again later.","status":"UNAVAILABLE"}}]],
    expect = { kind = "server", retryable = true },
  },
  {
    name = "gemini depleted prepay", status = 429,
    body = [[{"error":{"code":429,"message":"Your prepayment credits are depleted. Please go to AI Studio to manage your project and billing.","status":"RESOURCE_EXHAUSTED"}}]],
    expect = { kind = "budget_exceeded", retryable = false },
  },
  -- bedrock
  {
    name = "bedrock throttle", status = 429,
    headers = { ["x-amzn-errortype"] = "ThrottlingException" },
    body = [[{"message":"Too many tokens, please wait before trying again."}]],
    expect = { code = "ThrottlingException", kind = "rate_limit" },
  },
  {
    name = "bedrock denied", status = 403,
    headers = { ["x-amzn-errortype"] = "AccessDeniedException:http://x" },
    body = [[{"message":"You don't have access to the model with the specified model ID."}]],
    expect = { code = "AccessDeniedException", kind = "authentication" },
  },
  {
    name = "bedrock timeout", status = 408,
    headers = { ["x-amzn-errortype"] = "ModelTimeoutException" },
    body = [[{"message":"m"}]],
    expect = { kind = "timeout" },
  },
  {
    name = "bedrock validation long", status = 400,
    headers = { ["x-amzn-errortype"] = "ValidationException" },
    body = [[{"message":"Input is too long for requested model."}]],
    expect = { kind = "validation" },
  },
  {
    name = "bedrock quota", status = 400,
    body = [[{"__type":"ServiceQuotaExceededException","message":"Too many requests, quota"}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "bedrock message cap", status = 400,
    headers = { ["x-amzn-errortype"] = "ValidationException" },
    body = [[{"Message":"bad"}]],
    expect = { message = "bad" },
  },
  -- openrouter
  {
    name = "openrouter raw text ratelimit", status = 429,
    body = [[{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"{\"error\":{\"message\":\"Rate limit reached, please try again in 3s\"}}","provider_name":"X"}}}]],
    expect = { kind = "rate_limit", retry_after = 3 },
  },
  {
    name = "openrouter free daily", status = 429,
    body = [[{"error":{"message":"Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day","code":429,"metadata":{"headers":{"X-RateLimit-Limit":"50","X-RateLimit-Remaining":"0","X-RateLimit-Reset":"1893456000000"},"provider_name":null}}}]],
    expect = { kind = "rate_limit", limit = 50 },
  },
  {
    name = "openrouter key limit", status = 403,
    body = [[{"error":{"message":"Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys","code":403}}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "openrouter afford", status = 402,
    body = [[{"error":{"message":"This request requires more credits, or fewer max_tokens. You requested up to 65536 tokens, but can only afford 2000.","code":402}}]],
    expect = { kind = "budget_exceeded", retryable = false },
  },
  {
    name = "openrouter in-flight words", status = 402,
    headers = { ["retry-after"] = "2" },
    body = [[{"error":{"message":"This request would exceed your available credits given your current in-flight requests. Retry after in-flight requests settle, or add credits.","code":402,"metadata":{"reason":"in_flight_budget_exhausted","limit_source":"openrouter_in_flight_budget"}}}]],
    expect = { kind = "budget_exceeded", retry_after = 2, retryable = true },
  },
  {
    name = "openrouter in-flight no wait", status = 402,
    body = [[{"error":{"message":"x","code":402,"metadata":{"reason":"in_flight_budget_exhausted","limit_source":"openrouter_in_flight_budget"}}}]],
    expect = { kind = "budget_exceeded", retryable = false },
  },
  {
    name = "402 with retry-after only", status = 402,
    headers = { ["retry-after"] = "2" },
    body = [[{"error":{"message":"Insufficient credits","code":402}}]],
    expect = { kind = "budget_exceeded", retryable = false },
  },
  {
    name = "openrouter blocked guardrail", status = 403,
    body = [[{"error":{"code":403,"message":"Blocked by a guardrail","metadata":{"patterns":["secret"]}}}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "openrouter none available", status = 503,
    body = [[{"error":{"message":"No instances available","code":503}}]],
    expect = { kind = "server" },
  },
  {
    name = "openrouter user 401", status = 401,
    body = [[{"error":{"message":"User not found.","code":401}}]],
    expect = { kind = "authentication" },
  },
  {
    name = "openrouter data policy", status = 404,
    body = [[{"error":{"message":"No endpoints found matching your data policy","code":404}}]],
    expect = { kind = "policy_denied" },
  },
  -- vercel
  {
    name = "vercel funds", status = 402,
    body = [[{"error":{"message":"Insufficient funds. Please add credits","type":"insufficient_funds"},"generationId":"g"}]],
    expect = { kind = "budget_exceeded", request_id = "g" },
  },
  {
    name = "vercel model", status = 404,
    body = [[{"error":{"message":"Model 'x' not found","type":"model_not_found"}}]],
    expect = { kind = "not_found" },
  },
  {
    name = "vercel budget 429", status = 429,
    body = [[{"error":{"message":"API key budget exceeded","type":"quota_exceeded"}}]],
    expect = { kind = "budget_exceeded" },
  },
  -- cloudflare
  {
    name = "cf response blocked", status = 424,
    body = [[{"success":false,"result":[],"messages":[],"error":[{"code":2017,"message":"Response blocked due to security configurations"}]}]],
    expect = { code = "2017", kind = "policy_denied", retryable = false },
  },
  {
    name = "cf auth", status = 401,
    body = [[{"success":false,"result":[],"messages":[],"error":[{"code":2009,"message":"Unauthorized"}]}]],
    expect = { kind = "authentication" },
  },
  {
    name = "cf config", status = 400,
    body = [[{"success":false,"result":[],"messages":[],"error":[{"code":2008,"message":"Invalid provider"}]}]],
    expect = { code = "2008", kind = "validation" },
  },
  {
    name = "cf neurons", status = 429,
    body = [[{"errors":[{"message":"AiError: AiError: 4006: you have used up your daily free allocation of 10,000 neurons, please upgrade to Cloudflare's Workers Paid plan","code":3036}],"success":false,"result":{},"messages":[]}]],
    expect = { kind = "budget_exceeded" },
  },
  -- portkey
  {
    name = "portkey budget", status = 412,
    body = [[{"status":"failure","message":"Portkey Error: Usage limits exceeded. You can update the usage limits"}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "portkey rate", status = 429,
    body = [[{"status":"failure","message":"Rate limit exceeded for workspace. Limit: 10 rpm"}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "portkey invalid key", status = 401,
    body = [[{"success":false,"data":{"message":"Invalid API Key. Error Code: 03"}}]],
    expect = { kind = "authentication", message = "Invalid API Key. Error Code: 03" },
  },
  -- envoy
  {
    name = "envoy aigw", status = 429,
    headers = { ["x-envoy-ratelimited"] = "true" },
    body = [[]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "envoy aigw body", status = 400,
    body = [[{"type":"error","error":{"type":"OpenAIBackendError","code":"400","message":"upstream said no"}}]],
    expect = { code = "OpenAIBackendError", kind = "validation", message = "upstream said no" },
  },
  {
    name = "envoy local", status = 429,
    body = [[local_rate_limited]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "envoy rbac", status = 403,
    body = [[RBAC: access denied]],
    expect = { kind = "policy_denied" },
  },
  -- agentgateway
  {
    name = "agw guard", status = 403,
    body = [[The request was rejected due to inappropriate content]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "agw rate", status = 429,
    body = [[rate limit exceeded]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "agw auth", status = 401,
    body = [[authentication failure: no API Key found]],
    expect = { kind = "authentication" },
  },
  -- tensorzero
  {
    name = "t0 rate", status = 429,
    body = [[{"error":"TensorZero rate limit exceeded for `model_inference` resource.\nScope: x\nRequested: 1\nAvailable: 0"}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "t0 all failed", status = 502,
    body = [[{"error":{"message":"All variants failed with errors: x: Error from openai server: {\"error\":{\"message\":\"You exceeded your current quota\",\"type\":\"insufficient_quota\",\"code\":\"insufficient_quota\"}}"}}]],
    expect = { kind = "budget_exceeded", retryable = false },
  },
  {
    name = "t0 unknown model", status = 404,
    body = [[{"error":"Unknown model: x","error_json":{"UnknownModel":{"name":"x"}}}]],
    expect = { kind = "not_found" },
  },
  -- databricks
  {
    name = "dbx limit", status = 429,
    body = [[{"error_code":"REQUEST_LIMIT_EXCEEDED","message":"REQUEST_LIMIT_EXCEEDED: Exceeded workspace rate limit"}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "dbx keyword", status = 400,
    body = [[{"error_code":"BAD_REQUEST","message":"Invalid keywords detected in input: 'SuperSecretProject'"}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "dbx endpoint", status = 404,
    body = [[{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"The given endpoint does not exist"}]],
    expect = { kind = "not_found" },
  },
  {
    name = "dbx 403", status = 403,
    body = [[{"error_code":"PERMISSION_DENIED","message":"You do not have permission"}]],
    expect = { kind = "authentication" },
  },
  -- helicone
  {
    name = "helicone threat", status = 400,
    body = [[{"success":false,"error":{"code":"PROMPT_THREAT_DETECTED","message":"Prompt threat detected. Your request cannot be processed.","details":"x"}}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "helicone rate", status = 429,
    headers = { ["helicone-ratelimit-limit"] = "100", ["helicone-ratelimit-remaining"] = "0", ["helicone-ratelimit-reset"] = "42" },
    body = [[{"message":"Rate limit reached. Please wait before making more requests."}]],
    expect = { kind = "rate_limit", limit = 100, retry_after = 42 },
  },
  {
    name = "helicone credits", status = 429,
    body = [[{"error":{"message":"Insufficient credits","code":"request_failed"}}]],
    expect = { kind = "budget_exceeded" },
  },
  -- apisix
  {
    name = "apisix limit-count", status = 503,
    headers = { ["x-ratelimit-limit"] = "2", ["x-ratelimit-remaining"] = "0", ["x-ratelimit-reset"] = "58" },
    body = [[{"error_msg":"Requests are too frequent"}]],
    expect = {},
  },
  {
    name = "apisix key", status = 401,
    body = [[{"message":"Missing API key in request"}]],
    expect = { kind = "authentication" },
  },
  {
    name = "apisix aliyun", status = 400,
    body = [[{"message":"request exceeds the content moderation threshold"}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "apisix toxicity", status = 400,
    body = [[request body exceeds toxicity threshold]],
    expect = { kind = "policy_denied" },
  },
  -- mlflow
  {
    name = "mlflow budget", status = 429,
    body = [[{"detail":"Budget limit exceeded. Limit: $100.00 USD per 30 days. Budget resets at 2036-11-26T00:00:00Z. Request rejected."}]],
    expect = { kind = "budget_exceeded", limit = 100 },
  },
  {
    name = "mlflow stream guardrail", status = 200,
    body = [[{"error":{"message":"400: Guardrail 'pii' blocked: no","type":"HTTPException"}}]],
    expect = { kind = "policy_denied", policy_name = "pii", status = 400 },
    answer = { in_stream = true },
  },
  -- xai
  {
    name = "xai safety", status = 403,
    body = [[{"code":"The caller does not have permission to execute the specified operation","error":"Content violates usage guidelines. Team: x, API key ID: y, Model: grok, Failed check: SAFETY_CHECK_TYPE_BIO"}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "xai key", status = 400,
    body = [[{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***. You can obtain an API key from https://console.x.ai."}]],
    expect = { kind = "authentication" },
  },
  {
    name = "xai long", status = 400,
    body = [[{"code":"Client specified an invalid argument","error":"This model's maximum prompt length is 131072 but the request contains 150000 tokens."}]],
    expect = { current = 150000, kind = "validation", limit = 131072 },
  },
  {
    name = "xai no credits", status = 403,
    body = [[{"code":"The caller does not have permission to execute the specified operation","error":"Your newly created team doesn't have any credits or licenses yet."}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "xai rate", status = 429,
    body = [[{"code":"Some resource has been exhausted","error":"Too many requests for team x and model grok-4. Your team's rate limit is - Requests per Second (actual/limit): 16/16"}]],
    expect = { kind = "rate_limit" },
  },
  -- groq
  {
    name = "groq tpd", status = 429,
    headers = { ["retry-after"] = "612" },
    body = [[{"error":{"message":"Rate limit reached for model `x` in organization `o` service tier `on_demand` on tokens per day (TPD): Limit 100000, Used 99336, Requested 1373. Please try again in 10m12.576s. Need more tokens? Upgrade","type":"tokens","code":"rate_limit_exceeded"}}]],
    expect = { current = 99336, kind = "rate_limit", limit = 100000, retry_after = 612 },
  },
  {
    name = "groq failed gen", status = 400,
    body = [[{"error":{"message":"Failed to call a function.","type":"invalid_request_error","code":"tool_use_failed","failed_generation":"{\"x\": 1}"}}]],
    expect = { code = "tool_use_failed", kind = "validation" },
  },
  -- deepseek, moonshot, dashscope, zhipu
  {
    name = "deepseek 402", status = 402,
    body = [[{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "deepseek risk", status = 400,
    body = [[{"error":{"message":"Content Exists Risk","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "moonshot quota", status = 429,
    body = [[{"error":{"type":"exceeded_current_quota_error","message":"Your account org-x is suspended, please check your plan and billing details"}}]],
    expect = { kind = "budget_exceeded", retryable = false },
  },
  {
    name = "moonshot rpm", status = 429,
    body = [[{"error":{"type":"rate_limit_reached_error","message":"Your account o<p> request reached organization max RPM: 3, please try again after 1 seconds"}}]],
    expect = { kind = "rate_limit", retry_after = 1 },
  },
  {
    name = "moonshot too long", status = 400,
    body = [[{"error":{"type":"invalid_request_error","message":"Invalid request: Your request exceeded model token limit: 8192 (requested: 9000)"}}]],
    expect = { current = 9000, kind = "validation", limit = 8192 },
  },
  {
    name = "moonshot filter", status = 400,
    body = [[{"error":{"type":"content_filter","message":"The request was rejected because it was considered high risk"}}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "dashscope throttling", status = 429,
    body = [[{"error":{"message":"Requests rate limit exceeded, please try again later.","type":"limit_requests","param":null,"code":"limit_requests"}}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "dashscope native", status = 400,
    body = [[{"code":"DataInspectionFailed","message":"Input data may contain inappropriate content.","request_id":"r"}]],
    expect = { code = "DataInspectionFailed", kind = "policy_denied", request_id = "r" },
  },
  {
    name = "dashscope native arrear", status = 400,
    body = [[{"code":"Arrearage","message":"Access denied","request_id":"r"}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "dashscope native throttl", status = 429,
    body = [[{"code":"Throttling.RateQuota","message":"Requests rate limit exceeded","request_id":"r"}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "dashscope length", status = 400,
    body = [[{"error":{"code":"invalid_parameter_error","message":"Range of input length should be [1, 98304]","type":"invalid_request_error"}}]],
    expect = { kind = "validation", limit = 98304 },
  },
  {
    name = "zhipu busy", status = 429,
    body = [[{"error":{"code":"1302","message":"您当前使用该API的并发数过高"}}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "zhipu sensitive", status = 400,
    body = [[{"error":{"code":"1301","message":"系统检测到输入或生成内容可能包含不安全或敏感内容"}}]],
    expect = { kind = "policy_denied" },
  },
  -- hf
  {
    name = "hf credits", status = 402,
    body = [[{"error":"You have exceeded your monthly included credits for Inference Providers. Subscribe to PRO"}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "hf tgi overload", status = 429,
    body = [[{"error":"Model is overloaded","error_type":"overloaded"}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "hf tgi length", status = 422,
    body = [[{"error":"Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 100 `max_new_tokens`","error_type":"validation"}]],
    expect = { kind = "validation" },
  },
  -- local
  {
    name = "ollama not found", status = 404,
    body = [[{"error":"model \"x\" not found, try pulling it first"}]],
    expect = { kind = "not_found" },
  },
  {
    name = "ollama busy", status = 503,
    body = [[{"error":"server busy, please try again.  maximum pending requests exceeded"}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "llamacpp ctx", status = 400,
    body = [[{"error":{"code":400,"message":"the request exceeds the available context size, try increasing it","type":"exceed_context_size_error","n_prompt_tokens":4000,"n_ctx":2048}}]],
    expect = { code = "exceed_context_size_error", current = 4000, kind = "validation", limit = 2048 },
  },
  {
    name = "llamacpp loading", status = 503,
    body = [[{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}]],
    expect = { kind = "server", retryable = true },
  },
  {
    name = "lmstudio ctx", status = 400,
    body = [[{"error":"Trying to keep the first 4998 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough."}]],
    expect = { current = 4998, kind = "validation", limit = 4096, retryable = false },
  },
  {
    name = "vllm ctx", status = 400,
    body = [[{"object":"error","message":"This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the messages, 1000 in the completion).","type":"BadRequestError","param":null,"code":400}]],
    expect = { current = 5000, kind = "validation", limit = 4096 },
  },
  -- wso2, apigee, others
  {
    name = "wso2 900900", status = 401,
    body = [[{"fault":{"code":900901,"message":"Invalid Credentials","description":"Access failure for API"}}]],
    expect = { code = "900901", kind = "authentication" },
  },
  {
    name = "apigee spike", status = 429,
    body = [[{"fault":{"faultstring":"Spike arrest violation. Allowed rate : MessageRate{messagesPerPeriod=5, periodInMicroseconds=60000000}","detail":{"errorcode":"policies.ratelimit.SpikeArrestViolation"}}}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "apigee key", status = 401,
    body = [[{"fault":{"faultstring":"Invalid ApiKey","detail":{"errorcode":"oauth.v2.InvalidApiKey"}}}]],
    expect = { kind = "authentication" },
  },
  {
    name = "mistral rate", status = 429,
    body = [[{"message":"Requests rate limit exceeded"}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "mistral capacity", status = 429,
    body = [[{"object":"error","message":"Service tier capacity exceeded for this model.","type":"service_tier_capacity_exceeded","param":null,"code":"3505"}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "mistral 422", status = 422,
    body = [[{"detail":[{"type":"missing","loc":["body","messages"],"msg":"Field required"}]}]],
    expect = { field = "messages", kind = "validation" },
  },
  {
    name = "watsonx limit", status = 429,
    body = [[{"errors":[{"code":"rate_limit_reached_requests","message":"Reached the rate limit. Please retry later"}],"trace":"t","status_code":429}]],
    expect = { kind = "rate_limit", request_id = "t" },
  },
  {
    name = "problem json", status = 403,
    body = [[{"type":"https://x/y","title":"Forbidden","status":403,"detail":"Blocked by policy 'no-pii'","instance":"/v1"}]],
    expect = { kind = "policy_denied", message = "Blocked by policy 'no-pii'", policy_name = "no-pii" },
  },
  {
    name = "nginx html 413", status = 413,
    body = [[<html><head><title>413 Request Entity Too Large</title></head></html>]],
    expect = { kind = "validation", retryable = false },
  },
  {
    name = "html heading", status = 503,
    body = [[<html><body><h1>Service <b>Unavailable</b></h1><p>x</p></body></html>]],
    expect = { message = "Service Unavailable" },
  },
  {
    name = "graphql-ish", status = 400,
    body = [[{"errors":[{"message":"boom","extensions":{"code":"BAD"}}]}]],
    expect = { message = "boom" },
  },
  {
    name = "nested data message", status = 500,
    body = [[{"data":{"error":"x failed"}}]],
    expect = { message = "x failed" },
  },
  {
    name = "text 429 date", status = 429,
    body = [[{"error":{"message":"Usage limit reached. Resets at 2036-01-01 00:00:00 UTC."}}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "1h2m", status = 429,
    body = [[{"error":{"message":"You have hit the limit; available again in 1h2m."}}]],
    expect = { retry_after = 3720 },
  },
  {
    name = "two days", status = 429,
    body = [[{"error":{"message":"Quota renews in 2 days."}}]],
    expect = { retry_after = 172800 },
  },
  {
    name = "not a wait", status = 429,
    body = [[{"error":{"message":"You may send 100 requests in 60 seconds."}}]],
    expect = { retry_after = false },
  },
  {
    name = "double retry", status = 429,
    headers = { ["retry-after"] = "5, 10" },
    body = [[]],
    expect = { retry_after = 10 },
  },
  -- words, codes, fields and waits in forms of their own
  {
    name = "plain code", status = 429,
    body = [[ThrottlingException: Rate exceeded]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "500 with exception name", status = 500,
    body = [[{"error":"litellm.RateLimitError: upstream said no"}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "500 exception timeout", status = 500,
    body = [[{"error":{"message":"litellm.Timeout: APITimeoutError - Request timed out."}}]],
    expect = { kind = "timeout" },
  },
  {
    name = "quoted guard", status = 400,
    body = [[{"error":"Request blocked by guardrail \"no-pii\""}]],
    expect = { kind = "policy_denied", policy_name = "no-pii" },
  },
  {
    name = "guard unquoted", status = 403,
    body = [[{"message":"Guardrail no-pii blocked the request"}]],
    expect = { kind = "policy_denied", policy_name = "no-pii" },
  },
  {
    name = "guard spaced quoted", status = 400,
    body = [[{"detail":"Guardrail 'no secret words' blocked: x"}]],
    expect = { kind = "policy_denied", policy_name = "no secret words" },
  },
  {
    name = "guard 500 list", status = 500,
    body = [[{"error":{"message":"Guardrail failed: [pii-check] blocked"}}]],
    expect = { kind = "policy_denied", retryable = false },
  },
  {
    name = "zod", status = 400,
    body = [[{"success":false,"error":{"issues":[{"code":"invalid_type","path":["messages",0,"content"],"message":"Required"}],"name":"ZodError"}}]],
    expect = { field = "messages[1].content", kind = "validation" },
  },
  {
    name = "ajv", status = 400,
    body = [[{"errors":[{"instancePath":"/messages/0","message":"must be object"}]}]],
    expect = { field = "messages[1]", kind = "validation", message = "must be object" },
  },
  {
    name = "drf", status = 400,
    body = [[{"model":["This field is required."]}]],
    expect = { kind = "validation", message = "This field is required." },
  },
  {
    name = "lambda", status = 502,
    body = [[{"errorMessage":"Task timed out after 3 seconds","errorType":"x"}]],
    expect = { message = "Task timed out after 3 seconds" },
  },
  {
    name = "odd words", status = 500,
    body = [[{"whatever":{"deep":{"say":"it broke down"}}}]],
    expect = { message = "it broke down" },
  },
  {
    name = "xml", status = 403,
    body = [[<?xml version='1.0'?><Error><Code>AccessDenied</Code><Message>Access Denied by owner</Message></Error>]],
    expect = { kind = "authentication", message = "Access Denied by owner" },
  },
  {
    name = "field in words", status = 400,
    body = [[{"error":{"message":"Invalid type for 'messages[0].content': expected x","type":"invalid_request_error","param":null}}]],
    expect = { field = "messages[1].content" },
  },
  {
    name = "union loc", status = 422,
    body = [[{"detail":[{"type":"string_type","loc":["body","messages",0,"content","str"],"msg":"Input should be a valid string"},{"type":"list_type","loc":["body","messages",0,"content","list[Part]"],"msg":"Input should be a valid list"}]}]],
    expect = { field = "messages[1].content" },
  },
  {
    name = "xai numbers", status = 429,
    body = [[{"code":"x y","error":"Too many requests. rate limit is Requests per Second (actual/limit): 17/16"}]],
    expect = { current = 17, kind = "rate_limit", limit = 16 },
  },
  {
    name = "504 title", status = 504,
    body = [[<title>504 Gateway Time-out</title>]],
    expect = { kind = "timeout", message = "504 Gateway Time-out" },
  },
  {
    name = "302 html", status = 302,
    headers = { location = "https://u:p@h/x" },
    body = [[<html><title>Found</title></html>]],
    expect = { kind = "server", message = "the gateway redirects to https://h/x, and redirects are not followed: is base_url right?" },
  },
  {
    name = "stream no status", status = 200,
    body = [[{"error":{"message":"overloaded","type":"overloaded_error"}}]],
    expect = { kind = "server", status = false },
    answer = { in_stream = true },
  },
  {
    name = "stream code 429 text", status = 200,
    body = [[{"error":{"message":"slow","code":"rate_limit_exceeded"}}]],
    expect = { kind = "rate_limit", status = false },
    answer = { in_stream = true },
  },
  {
    name = "finish reason", status = 200,
    body = [[{"choices":[{"finish_reason":"rate_limit_error","delta":{"content":""}}]}]],
    expect = { code = "rate_limit_error", kind = "rate_limit", status = false },
    answer = { in_stream = true },
  },
  {
    name = "x_groq quota", status = 200,
    body = [[{"choices":[],"x_groq":{"id":"req_1","error":"over capacity"}}]],
    expect = { kind = "server", message = "over capacity", request_id = "req_1" },
    answer = { in_stream = true },
  },
  {
    name = "minimax sensitive", status = 200,
    body = [[{"choices":null,"base_resp":{"status_code":1026,"status_msg":"input new_sensitive"}}]],
    expect = { code = "1026", kind = "policy_denied" },
  },
  {
    name = "minimax rate", status = 200,
    body = [[{"choices":null,"base_resp":{"status_code":1002,"status_msg":"rate limit exceeded(RPM)"}}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "json in json in json", status = 500,
    body = [[{"error":{"message":"upstream: {\"error\":{\"message\":\"{\\\"error\\\":{\\\"code\\\":\\\"insufficient_quota\\\",\\\"message\\\":\\\"none left\\\"}}\"}}"}}]],
    expect = { code = "insufficient_quota", kind = "budget_exceeded" },
  },
  {
    name = "bytes repr", status = 500,
    body = [[{"error":{"message":"Bedrock: b'{\"message\":\"Too many tokens, please wait before trying again.\"}'"}}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "python none", status = 429,
    body = [[{"error":{"message":"None","type":"None"},"detail":"really slow down"}]],
    expect = {},
  },
  {
    name = "quota with reset words", status = 429,
    body = [[{"error":{"message":"You exceeded your current quota. Please retry in 59s."}}]],
    expect = { kind = "rate_limit", retry_after = 59 },
  },
  {
    name = "spend of", status = 402,
    body = [[{"error":{"message":"You have spent $5.20 of $5.00 this month"}}]],
    expect = { current = 5.2, kind = "budget_exceeded", limit = 5 },
  },
  {
    name = "budget fields camel", status = 403,
    body = [[{"error":{"code":"BudgetExceeded","message":"m","budgetLimit":10,"currentSpend":11}}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "quota of month", status = 403,
    body = [[{"error":{"message":"Monthly quota exceeded for your organization"}}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "daily limit words", status = 429,
    body = [[{"error":{"message":"You've reached your daily limit of 100 requests. Resets in 3 hours."}}]],
    expect = { kind = "rate_limit", limit = 100, retry_after = 10800 },
  },
  {
    name = "status prefix", status = 200,
    body = [[{"error":{"message":"503: upstream down","type":"HTTPException"}}]],
    expect = { kind = "server", status = 503 },
    answer = { in_stream = true },
  },
  {
    name = "policy in 500", status = 500,
    body = [[{"error":{"message":"Blocked by content policy"}}]],
    expect = { kind = "policy_denied", retryable = false },
  },
  {
    name = "403 with html policy", status = 403,
    body = [[<html><h1>Request blocked by policy</h1></html>]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "417", status = 417,
    body = [[]],
    expect = { kind = "validation" },
  },
  {
    name = "403 plain", status = 403,
    body = [[Forbidden]],
    expect = { kind = "authentication", message = "Forbidden" },
  },
  {
    name = "404 json with rate", status = 404,
    body = [[{"error":{"message":"rate limit page not found"}}]],
    expect = { kind = "not_found" },
  },
  {
    name = "400 about max_tokens", status = 400,
    body = [[{"error":{"message":"max_tokens is too large: 100000. This model supports at most 4096 completion tokens, whereas you provided 100000.","type":"invalid_request_error","param":"max_tokens","code":"invalid_value"}}]],
    expect = { field = "max_tokens", kind = "validation" },
  },
  {
    name = "401 expired", status = 401,
    body = [[{"error":{"message":"token expired","code":"token_expired"}}]],
    expect = { kind = "authentication" },
  },
  {
    name = "413 text", status = 413,
    body = [[Payload Too Large]],
    expect = { kind = "validation", retryable = false },
  },
  {
    name = "429 too large words", status = 429,
    body = [[{"error":{"message":"Request too large for model x on tokens per min: Limit 100, Requested 200."}}]],
    expect = { current = 200, kind = "validation", limit = 100, retryable = false },
  },
  {
    name = "400 prompt blocked vertex", status = 400,
    body = [[{"error":{"message":"The prompt could not be submitted. Prohibited content was detected","status":"INVALID_ARGUMENT"}}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "ratelimit unified", status = 429,
    headers = { ["anthropic-ratelimit-unified-reset"] = "4102444800", ["anthropic-ratelimit-unified-status"] = "rejected" },
    body = [[{"type":"error","error":{"type":"rate_limit_error","message":"m"}}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "500 retry-after header ms", status = 500,
    headers = { ["x-ms-retry-after-ms"] = "1500" },
    body = [[]],
    expect = { retry_after = 1.5 },
  },
  {
    name = "mistral byteslimit", status = 429,
    headers = { ["ratelimitbysize-limit"] = "500000", ["ratelimitbysize-remaining"] = "0", ["ratelimitbysize-reset"] = "32" },
    body = [[{"message":"Requests rate limit exceeded"}]],
    expect = { kind = "rate_limit", limit = 500000, retry_after = 32 },
  },
  -- the kinds once more: money, guards, sizes, waits, numbers, fields, streams
  {
    name = "money azure spending", status = 403,
    body = [[{"error":{"code":"SpendingLimitReached","message":"The subscription's spending limit has been reached"}}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "money 400 words", status = 400,
    body = [[{"error":{"message":"Your account has insufficient funds to complete this request."}}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "money 401", status = 401,
    body = [[{"error":{"message":"Your account balance is negative; please top up"}}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "money 500", status = 500,
    body = [[{"error":{"message":"Upstream: insufficient balance"}}]],
    expect = { kind = "budget_exceeded", retryable = false },
  },
  {
    name = "money 503", status = 503,
    body = [[{"error":{"code":"billing_not_active","message":"x"}}]],
    expect = { kind = "budget_exceeded", retryable = false },
  },
  {
    name = "money 429 trial", status = 429,
    body = [[{"message":"You are using a Trial key, which is limited to 1000 API calls / month. You can continue to use the Trial key for free or upgrade"}]],
    expect = {},
  },
  {
    name = "money 422 litellm quota", status = 422,
    body = [[{"error":{"message":"litellm.UnprocessableEntityError: OpenAIException - You exceeded your current quota, please check your plan and billing details.","type":"invalid_request_error","param":null,"code":"422"}}]],
    expect = { kind = "budget_exceeded", retryable = false },
  },
  {
    name = "together credit", status = 402,
    body = [[{"error":{"message":"Credit limit exceeded, please navigate to https://api.together.xyz/settings/billing","type":"credit_limit","param":null,"code":"credit_limit"}}]],
    expect = { code = "credit_limit", kind = "budget_exceeded" },
  },
  {
    name = "fireworks 412", status = 412,
    body = [[{"error":{"object":"error","type":"invalid_request_error","message":"Account suspended due to reaching spend limit"}}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "perplexity 401 insufficient quota", status = 401,
    body = [[{"error":{"message":"You exceeded your current quota, please check your plan and billing details","type":"insufficient_quota","code":401}}]],
    expect = { code = "insufficient_quota", kind = "budget_exceeded" },
  },
  {
    name = "cerebras 402", status = 402,
    body = [[{"message":"Payment required","type":"payment_required_error","param":"quota","code":"payment_required"}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "cohere 429", status = 429,
    body = [[{"message":"too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 5000."}]],
    expect = {},
  },
  {
    name = "policy 451", status = 451,
    body = [[{"error":{"message":"Blocked by policy: legal"}}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "policy 424", status = 424,
    body = [[{"error":{"message":"Guardrail 'x' blocked"}}]],
    expect = { kind = "policy_denied", policy_name = "x" },
  },
  {
    name = "policy 502", status = 502,
    body = [[{"error":{"type":"guardrail_intervened","message":"blocked"}}]],
    expect = { kind = "policy_denied", retryable = false },
  },
  {
    name = "guardrail table in error", status = 400,
    body = [[{"error":{"message":"blocked","guardrail":{"id":"g-1","name":"pii"}}}]],
    expect = { policy_name = "pii" },
  },
  {
    name = "guardrails list", status = 403,
    body = [[{"error":{"message":"Request blocked","code":"guardrail_violation","guardrails":[{"name":"toxicity","passed":false}]}}]],
    expect = { kind = "policy_denied", policy_name = "toxicity" },
  },
  {
    name = "violations", status = 403,
    body = [[{"error":"policy_violation","violations":[{"rule":"no-secrets","message":"m"}]}]],
    expect = { kind = "policy_denied", policy_name = "no-secrets" },
  },
  {
    name = "finishReason safety", status = 400,
    body = [[{"error":{"message":"{\"promptFeedback\":{\"blockReason\":\"SAFETY\"}}"}}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "too large 413 limit words", status = 413,
    body = [[{"error":{"message":"Request body too large: limit is 4194304 bytes"}}]],
    expect = { kind = "validation", limit = 4194304 },
  },
  {
    name = "ctx 500", status = 500,
    body = [[{"error":{"message":"the request exceeds the available context size. try increasing the context size or enable context shift"}}]],
    expect = { kind = "validation", retryable = false },
  },
  {
    name = "anthropic max_tokens combined", status = 400,
    body = [[{"type":"error","error":{"type":"invalid_request_error","message":"input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000, decrease input length or `max_tokens` and try again"}}]],
    expect = { kind = "validation", limit = 200000 },
  },
  {
    name = "wait body ms", status = 429,
    body = [[{"error":{"message":"m","retry_after_ms":2500}}]],
    expect = { retry_after = 2.5 },
  },
  {
    name = "wait nested object", status = 429,
    body = [[{"error":{"message":"m","rate_limit":{"retry_after":9}}}]],
    expect = { retry_after = 9 },
  },
  {
    name = "wait headers reset rfc", status = 429,
    headers = { ["anthropic-ratelimit-tokens-remaining"] = "0", ["anthropic-ratelimit-tokens-reset"] = "2015-01-01T00:00:00Z" },
    body = [[]],
    expect = { retry_after = 0 },
  },
  {
    name = "wait hms", status = 429,
    body = [[{"error":{"message":"Try again in 01:02:03."}}]],
    expect = { retry_after = 3723 },
  },
  {
    name = "wait minutes short", status = 429,
    body = [[{"error":{"message":"Please wait 2 min before retrying"}}]],
    expect = { retry_after = 120 },
  },
  {
    name = "wait decimal", status = 429,
    body = [[{"error":{"message":"Please retry after 0.5 seconds"}}]],
    expect = { retry_after = 0.5 },
  },
  {
    name = "wait parenthesis", status = 429,
    body = [[{"error":{"message":"Rate limited (retry in 15s)"}}]],
    expect = { retry_after = 15 },
  },
  {
    name = "wait ISO duration", status = 429,
    body = [[{"error":{"message":"m","retry_after":"PT30S"}}]],
    expect = { retry_after = 30 },
  },
  {
    name = "wait next midnight", status = 429,
    body = [[{"error":{"message":"Quota resets on 2015-01-01."}}]],
    expect = { retry_after = 0 },
  },
  {
    name = "x-ratelimit-reset-after", status = 429,
    headers = { ["x-ratelimit-reset-after"] = "12.5" },
    body = [[]],
    expect = { retry_after = 12.5 },
  },
  {
    name = "retry-after http date with day", status = 429,
    headers = { ["retry-after"] = "Wed, 21 Oct 2015 07:28:00 GMT, Wed, 21 Oct 2015 07:28:00 GMT" },
    body = [[]],
    expect = {},
  },
  {
    name = "unrelated request-rate", status = 402,
    headers = { ["x-ratelimit-limit-requests"] = "500", ["x-ratelimit-remaining-requests"] = "0", ["x-ratelimit-reset-requests"] = "60s" },
    body = [[{"error":{"message":"no money","code":"insufficient_quota"}}]],
    expect = { current = false, kind = "budget_exceeded", limit = false, retry_after = false },
  },
  {
    name = "policy not rate wait", status = 403,
    headers = { ["x-ratelimit-limit-requests"] = "500", ["x-ratelimit-remaining-requests"] = "0", ["x-ratelimit-reset-requests"] = "60s" },
    body = [[{"error":{"message":"m","code":"content_filter"}}]],
    expect = { kind = "policy_denied", limit = false, retry_after = false },
  },
  {
    name = "usage limit pair text", status = 429,
    body = [[{"error":{"message":"Budget exceeded: $12.50 / $10.00 used","code":"budget_exceeded"}}]],
    expect = { current = 12.5, limit = 10 },
  },
  {
    name = "usage of limit", status = 429,
    body = [[{"error":{"message":"Monthly budget exceeded. Used $105.20 of $100.00.","code":"budget_exceeded"}}]],
    expect = { current = 105.2, limit = 100 },
  },
  {
    name = "error array of strings", status = 400,
    body = [[{"error":["first","second"]}]],
    expect = { message = "first" },
  },
  {
    name = "loc string", status = 422,
    body = [[{"detail":[{"loc":"body.messages.0.role","msg":"bad"}]}]],
    expect = { field = "messages[1].role" },
  },
  {
    name = "param dollar", status = 400,
    body = [[{"error":{"message":"m","param":"$.messages[0].content"}}]],
    expect = { field = "messages[1].content" },
  },
  {
    name = "param none", status = 400,
    body = [[{"error":{"message":"m","param":"None"}}]],
    expect = { field = false },
  },
  {
    name = "stream plain text", status = 200,
    body = [[upstream exploded]],
    expect = { kind = "server", message = "upstream exploded", status = false },
    answer = { event = "error", in_stream = true },
  },
  {
    name = "event name rate", status = 200,
    body = [[{"message":"slow"}]],
    expect = { kind = "rate_limit" },
    answer = { event = "rate_limit_error", in_stream = true },
  },
  {
    name = "responses failed", status = 200,
    body = [[{"type":"error","code":"rate_limit_exceeded","message":"slow","param":null,"sequence_number":3}]],
    expect = { code = "rate_limit_exceeded", kind = "rate_limit" },
    answer = { event = "error", in_stream = true },
  },
  {
    name = "aws in stream", status = 200,
    body = [[{"throttlingException":{"message":"Too many requests"}}]],
    expect = { kind = "rate_limit" },
    answer = { event = "error", in_stream = true },
  },
  {
    name = "bedrock stream via litellm", status = 200,
    body = [[{"error":{"message":"litellm.MidStreamFallbackError: litellm.APIConnectionError: {\"serviceUnavailableException\":{\"message\":\"Bedrock is unable to process your request.\"}}","type":null,"param":null,"code":"500"}}]],
    expect = { kind = "server", status = 500 },
    answer = { in_stream = true },
  },
  {
    name = "404 lacks model words 400", status = 400,
    body = [[{"error":{"message":"The model `x` does not exist or you do not have access to it.","type":"invalid_request_error","code":"model_not_found"}}]],
    expect = { kind = "not_found" },
  },
  {
    name = "405", status = 405,
    body = [[{"detail":"Method Not Allowed"}]],
    expect = { kind = "validation" },
  },
  {
    name = "525 html", status = 525,
    body = [[<html><head><title>SSL handshake failed | 525: x</title></head></html>]],
    expect = { kind = "server" },
  },
  {
    name = "empty json object", status = 500,
    body = [[{}]],
    expect = { kind = "server", message = "HTTP 500" },
  },
  {
    name = "number body", status = 500,
    body = [[42]],
    expect = { kind = "server" },
  },
  {
    name = "cn rate", status = 429,
    body = [[{"error":{"message":"请求过于频繁，请稍后再试"}}]],
    expect = { kind = "rate_limit" },
  },
  {
    name = "cn sensitive", status = 400,
    body = [[{"error":{"message":"内容包含敏感信息"}}]],
    expect = { kind = "policy_denied" },
  },
  -- filters that say it in words or codes of their own
  {
    name = "kong azure content safety", status = 400,
    body = [[{"error":{"message":"request failed content safety check: breached category [Hate] at level 2"}}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "apim content safety", status = 403,
    body = [[{"statusCode":403,"message":"Request failed content safety check."}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "helicone moderation", status = 400,
    body = [[{"success":false,"error":{"code":"PROMPT_FLAGGED_FOR_MODERATION","message":"The given prompt was flagged by the OpenAI Moderation endpoint."}}]],
    expect = { code = "PROMPT_FLAGGED_FOR_MODERATION", kind = "policy_denied" },
  },
  {
    name = "moderation in words", status = 403,
    body = [[{"message":"Your prompt was flagged by the OpenAI Moderation endpoint"}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "pii", status = 400,
    body = [[{"error":{"message":"Request refused: PII detected (credit card)","type":"pii_detected"}}]],
    expect = { kind = "policy_denied" },
  },
  {
    name = "dlp in words", status = 403,
    body = [[{"message":"Blocked by DLP policy \"finance\""}]],
    expect = { kind = "policy_denied", policy_name = "finance" },
  },
  {
    name = "xai failed check", status = 403,
    body = [[{"code":"The caller does not have permission to execute the specified operation","error":"Content violates usage guidelines. Failed check: SAFETY_CHECK_TYPE_BIO"}]],
    expect = { kind = "policy_denied", policy_name = "SAFETY_CHECK_TYPE_BIO" },
  },
  -- money
  {
    name = "spend cap", status = 403,
    body = [[{"error":{"type":"spend_cap_reached","message":"Monthly cap reached"}}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "spend cap in words", status = 403,
    body = [[{"error":"Your monthly spend cap of $50 was reached"}]],
    expect = { kind = "budget_exceeded" },
  },
  {
    name = "negative balance", status = 403,
    body = [[{"detail":"Your balance is negative. Please top up"}]],
    expect = { kind = "budget_exceeded" },
  },
  -- a quota of tokens may be one of a minute or one of money
  {
    name = "cerebras tokens a minute", status = 429,
    headers = { ["x-ratelimit-limit-tokens-minute"] = "60000", ["x-ratelimit-remaining-tokens-minute"] = "0", ["x-ratelimit-reset-tokens-minute"] = "11.5" },
    body = [[{"message":"Tokens per minute limit exceeded - too many tokens processed.","type":"too_many_tokens_error","param":"quota","code":"token_quota_exceeded"}]],
    expect = { code = "token_quota_exceeded", kind = "rate_limit", limit = 60000, retry_after = 11.5, retryable = true },
  },
  {
    name = "a month's token quota", status = 429,
    body = [[{"error":{"message":"The plan's tokens are used up","code":"token_quota_exceeded"}}]],
    expect = { kind = "budget_exceeded", retryable = false },
  },
  -- base_resp is MiniMax's alone
  {
    name = "minimax rate", status = 200,
    body = [[{"base_resp":{"status_code":1002,"status_msg":"slow"},"choices":null}]],
    expect = { code = "1002", kind = "rate_limit", message = "slow" },
  },
  {
    name = "minimax login", status = 200,
    body = [[{"base_resp":{"status_code":1004,"status_msg":"no"}}]],
    expect = { kind = "authentication" },
  },
  -- Python's tuples
  {
    name = "vllm pydantic", status = 400,
    body = [[{"error":{"message":"1 validation error:\n  {'type': 'missing', 'loc': ('body', 'messages', 0, 'content'), 'msg': 'Field required', 'input': {}}","type":"Bad Request","param":null,"code":400}}]],
    expect = { field = "messages[1].content", kind = "validation" },
  },
  {
    name = "a tuple of one", status = 400,
    body = [[{"error":{"message":"{'loc': ('model',), 'msg': 'Field required'}"}}]],
    expect = { field = "model", kind = "validation", message = "Field required" },
  },
}
