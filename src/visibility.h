/* visibility.h: keeps the core's names inside the module.
 *
 * A header wraps its declarations in LLMG_HIDDEN_BEGIN and LLMG_HIDDEN_END, so
 * that the module exports luaopen_llm_gateway_core, which LLMG_EXPORT marks,
 * and nothing else, whatever flags it was built with. A DLL exports what is
 * marked, and what is not needs no words.
 */
#ifndef LLMG_VISIBILITY_H
#define LLMG_VISIBILITY_H

#if defined(_WIN32)
#define LLMG_EXPORT __declspec(dllexport)
#elif defined(__GNUC__)
#define LLMG_EXPORT __attribute__((visibility("default")))
#else
#define LLMG_EXPORT
#endif

#if defined(__GNUC__) && !defined(_WIN32)
#define LLMG_HIDDEN_BEGIN _Pragma("GCC visibility push(hidden)")
#define LLMG_HIDDEN_END   _Pragma("GCC visibility pop")
#else
#define LLMG_HIDDEN_BEGIN
#define LLMG_HIDDEN_END
#endif

#endif
