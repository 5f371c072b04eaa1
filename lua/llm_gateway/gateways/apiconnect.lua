-- gateways/apiconnect.lua: IBM's API Connect; data. {httpCode, httpMessage, moreInformation}.

return {
  name = "apiconnect",
  auth = { { header = "X-IBM-Client-Id" }, "bearer" },
  api_path = "/v1",
  request_ids = { "x-global-transaction-id" },
  words = {
    rate_limit = { "rate limit exceeded", "assembly rate limit" },
    authentication = { "client id not registered", "invalid client id or secret" },
  },
}
