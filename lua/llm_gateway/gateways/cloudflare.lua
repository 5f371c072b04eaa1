-- gateways/cloudflare.lua: Cloudflare's AI Gateway and Workers AI; data.
-- {success = false, error or errors = [{code, message}]}; a blocked prompt is 424.

return {
  name = "cloudflare",
  auth = { { header = "cf-aig-authorization", prefix = "Bearer " } },
  api_path = "/compat",
  request_ids = { "cf-aig-log-id", "cf-aig-event-id", "cf-ray" },
  codes = {
    policy_denied = { "2016", "2017", "2029", "2030" }, -- prompt, response blocked; by DLP
    rate_limit = { "2003" },
    authentication = { "10000", "2009" },
  },
  words = {
    policy_denied = { "blocked due to security configurations", "blocked due to dlp" },
    budget_exceeded = { "used up your daily free allocation" },
  },
  headers = {
    cache = { "cf-aig-cache-status" },
    provider = { "cf-aig-provider" },
    model = { "cf-aig-model" },
    attempts = { "cf-aig-step" },
  },
}
