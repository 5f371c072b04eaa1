-- gateways/zhipu.lua: Zhipu (GLM, z.ai); data. {error = {code, message}} with a number for a code, or a 200 of
-- {code, msg, success = false}.

return {
  name = "zhipu",
  auth = "bearer",
  api_path = "/api/paas/v4",
  reasoning = "thinking_type",
  codes = {
    policy_denied = { "1301" },
    budget_exceeded = { "1113", "1304", "1308", "1309", "1310", "1110", "1111", "1112" },
    too_large = { "1261" },
    rate_limit = { "1302", "1303", "1305", "1312", "1313" },
    authentication = { "1000", "1001", "1003" },
    not_found = { "1211", "1222" },
  },
  own_codes = { authentication = { "1002", "1004" } },
  words = { budget_exceeded = { "余额不足", "欠费" }, policy_denied = { "不安全或敏感内容" } },
}
