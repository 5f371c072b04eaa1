-- request/provider_fields.lua: what providers and gateways take in the body of a chat or embeddings request, by name.
-- Data only; request/near_miss.lua asks whether a name that looks like a slip is a real one. Grouped by who came up
-- with a name first; one that several know stands once.

local NAMES = {
  -- OpenAI
  [[
    audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens messages
    metadata modalities model moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key
    prompt_cache_retention reasoning_effort response_format safety_identifier seed service_tier stop store stream
    stream_options temperature tool_choice tools top_logprobs top_p user verbosity web_search_options input
    instructions include max_output_tokens previous_response_id conversation background reasoning text truncation
    prompt max_tool_calls encoding_format dimensions suffix best_of echo
  ]],
  -- Azure
  [[
    data_sources dataSources enhancements user_security_context
  ]],
  -- Anthropic
  [[
    system stop_sequences thinking container mcp_servers context_management inference_geo betas output_config
    output_format anthropic_version anthropic_beta speed cache_control
  ]],
  -- Gemini
  [[
    contents generationConfig generation_config safetySettings safety_settings cachedContent cached_content
    systemInstruction system_instruction toolConfig tool_config thinking_config google
  ]],
  -- Mistral
  [[
    safe_prompt random_seed prompt_mode guardrails output_dtype output_dimension
  ]],
  -- Cohere
  [[
    message chat_history preamble connectors documents citation_quality citation_options k p raw_prompting
    safety_mode strict_tools max_input_tokens prompt_truncation return_prompt force_single_step search_queries_only
    tool_results input_type embedding_types truncate images texts inputs
  ]],
  -- Groq, Cerebras, SambaNova
  [[
    reasoning_format include_reasoning exclude_domains include_domains search_settings compound_custom
    disable_tool_validation disable_reasoning clear_thinking
  ]],
  -- xAI, Perplexity
  [[
    search_parameters deferred search_mode search_domain_filter search_recency_filter search_context_size
    search_after_date_filter search_before_date_filter last_updated_after_filter last_updated_before_filter
    return_citations return_images return_related_questions disable_search enable_search_classifier media_response
    stream_mode language_preference
  ]],
  -- OpenRouter, Vercel
  [[
    models route routes provider providers providerOptions provider_options transforms plugins usage preset
    session_id trace debug max_price top_a features
  ]],
  -- vLLM, SGLang
  [[
    top_k min_p repetition_penalty length_penalty use_beam_search stop_token_ids include_stop_str_in_output
    ignore_eos min_tokens skip_special_tokens spaces_between_special_tokens truncate_prompt_tokens prompt_logprobs
    allowed_token_ids bad_words add_generation_prompt continue_final_message add_special_tokens chat_template
    chat_template_kwargs mm_processor_kwargs guided_json guided_regex guided_choice guided_grammar
    guided_decoding_backend guided_whitespace_pattern structural_tag structured_outputs priority request_id
    logits_processors return_tokens_as_token_ids return_token_ids cache_salt kv_transfer_params vllm_xargs
    early_stopping regex ebnf no_stop_trim separate_reasoning stream_reasoning lora_path session_params rid
    return_hidden_states custom_logit_processor custom_params
  ]],
  -- llama.cpp, Ollama, LM Studio
  [[
    dynatemp_range dynatemp_exponent typical_p tfs_z repeat_penalty repeat_last_n penalize_nl dry_multiplier
    dry_base dry_allowed_length dry_penalty_last_n dry_sequence_breakers xtc_probability xtc_threshold mirostat
    mirostat_tau mirostat_eta grammar json_schema n_predict n_keep n_probs n_indent min_keep cache_prompt id_slot
    samplers t_max_predict_ms timings_per_token post_sampling_probs response_fields lora return_progress
    parse_tool_calls chat_format top_n_sigma format options keep_alive think raw template context num_ctx
    num_predict draft_model ttl
  ]],
  -- Hugging Face, Together, Fireworks, NVIDIA
  [[
    adapter_id details decoder_input_details watermark top_n_tokens do_sample return_full_text max_new_tokens
    tool_prompt safety_model compliance context_length_exceeded_behavior prompt_truncate_len raw_output
    perf_metrics_in_response mirostat_lr mirostat_target speculation sampling_mask prompt_cache_max_len
    prompt_cache_isolation_key nvext
  ]],
  -- DashScope, Zhipu, MiniMax, Baidu, Moonshot, Volcengine, Hunyuan
  [[
    enable_search search_options enable_thinking thinking_budget incremental_output result_format
    vl_high_resolution_images translation_options asr_options dimension text_type output_type instruct user_id
    tool_stream sensitive_word_check meta mask_sensitive_info tokens_to_generate bot_setting reply_constraints
    reasoning_split penalty_score enable_citation enable_trace min_output_tokens partial context_id mode citation
    enable_enhancement force_search_enhancement stream_moderation appid app_ids
  ]],
  -- LiteLLM, Bifrost, Portkey
  [[
    api_base api_version base_url deployment_id fallbacks context_window_fallbacks num_retries guardrail_config tags
    cache caching no-log mock_response mock_timeout mock_testing_fallbacks custom_llm_provider litellm_metadata
    litellm_session_id litellm_trace_id litellm_call_id extra_headers extra_query extra_params allowed_openai_params
    drop_params additional_drop_params enable_json_schema_validation disable_global_guardrails
    disable_global_guardrail prompt_id prompt_variables prompt_version vector_store_ids request_timeout
    stream_timeout force_timeout organization model_list rpm tpm max_parallel_requests
  ]],
  -- Voyage, Jina
  [[
    task late_chunking normalized embedding_type prompt_name return_multivector
  ]],
}

local known = {}
for name in table.concat(NAMES):gmatch("%S+") do known[name] = true end

return known
