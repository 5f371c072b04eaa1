/* loop_idle.c: see loop_idle.h. */
#include "loop_idle.h"

static curl_socket_t refuse(void *self, curlsocktype purpose, struct curl_sockaddr *address) {
  (void)self, (void)purpose, (void)address;
  return CURL_SOCKET_BAD;
}

CURL *loop_idle_sweep(CURLM *multi) {
  CURL *easy = curl_easy_init();
  if (easy == NULL) return NULL;
  curl_easy_setopt(easy, CURLOPT_URL, "http://127.0.0.1:1/");
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
  curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, MAX_IDLE_SECONDS);
  curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, refuse);
  if (curl_multi_add_handle(multi, easy) == CURLM_OK) return easy;
  curl_easy_cleanup(easy);
  return NULL;
}
