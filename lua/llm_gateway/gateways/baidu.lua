-- gateways/baidu.lua: Baidu's Qianfan; data. {error_code, error_msg}, the older ones in a 200.

return {
  name = "baidu",
  auth = "bearer",
  api_path = "/v2",
  codes = {
    policy_denied = { "336501", "336502", "336503", "336504", "336505" },
    budget_exceeded = { "coupon_limit*", "account_arrears*" },
    rate_limit = { "rpm_rate_limit_exceeded", "tpm_rate_limit_exceeded", "336501_qps" },
    authentication = { "invalid_iam_token", "access_denied" },
    too_large = { "336007", "336103" },
  },
  own_codes = { rate_limit = { "4", "17", "18", "19" }, authentication = { "6", "14", "100", "110", "111" } },
  words = {
    rate_limit = { "daily request limit reached", "qps request limit reached", "total request limit reached" },
    authentication = { "access token invalid or no longer valid", "access token expired" },
  },
}
