-- mutants/secrets.lua: breaks of what hides secrets: {what, the text, instead of it, specs}.
return {
  { "the shorter secret is hidden first", "return #a > #b end)", "return #a < #b end)", "secrets" },
  { "short words are hidden", "#secret >= MIN_SECRET_BYTES", "#secret >= 1", "secrets" },
  { "a secret as a URL has it is shown", "return { secret, of_url, lower,", "return { secret,", "secrets" },
  { "a secret as JSON has it is shown", '(secret:gsub("/", "\\\\/"))', "nil", "secrets" },
  { "only the first of a secret is hidden", "    from = text:find(old, at, true)\n", "    from = nil\n", "secrets" },
  { "names of fields are shown", "rawset(copy, redact(key, forms, seen), ", "rawset(copy, key, ", "secrets" },
  { "the provider's key is shown", "  add_secret(secrets, own.provider_key or config.provider_key)\n", "", "secrets" },
  { "secret headers are shown", "  add_secret_headers(secrets, config.headers)\n", "", "secrets" },
  { "secret headers of one call are shown", "  add_secret_headers(secrets, own.headers)\n", "", "secrets" },
  { "the user and password of base_url are shown", "  credentials.add(secrets, config.base_url)\n", "", "secrets" },
  { "the user and password of a proxy are shown", "  credentials.add(secrets, config.via)\n", "", "secrets proxy" },
  { "secret parameters of a path are shown", "  add_secret_parameters(secrets, path)\n", "", "secrets" },
  { "the Basic form of a password is shown", "base64.encode(plain:find(\":\", 1, true) and plain or plain .. \":\")", "plain",
    "secrets" },
  { "a bearer's token alone is shown", "if token then table.insert(secrets, token) end", "", "secrets" },
}
