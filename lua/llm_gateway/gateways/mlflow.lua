-- gateways/mlflow.lua: MLflow's AI gateway (seen: 3.18); data.
-- {detail = words}; inside a stream {error = {message = "429: ...", type = "HTTPException"}}.

return {
  name = "mlflow",
  auth = "bearer",
  api_path = "/gateway/mlflow/v1",
  health_path = "/health",
  words = { budget_exceeded = { "budget limit exceeded" }, policy_denied = { "guardrail ... blocked" } },
  said = { "limit: {limit} usd per", "guardrail '{policy_name}' blocked" },
}
