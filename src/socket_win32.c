/* socket_win32.c: what socket.h asks of the system, on Windows. Winsock is started by libcurl. */
#ifdef _WIN32
#include "socket.h"

#include <errno.h>

static curl_socket_t fail(int number) {
  errno = number;
  return CURL_SOCKET_BAD;
}

/* A child process that inherited the socket would keep a closed stream's connection open. */
curl_socket_t socket_open(const struct curl_sockaddr *address) {
  curl_socket_t fd = socket(address->family, address->socktype, address->protocol);
  if (fd == CURL_SOCKET_BAD) return fail(WSAGetLastError());
  if (SetHandleInformation((HANDLE)fd, HANDLE_FLAG_INHERIT, 0)) return fd;
  closesocket(fd);
  return fail(WSAEMFILE);
}

int socket_close(curl_socket_t fd) {
  return closesocket(fd);
}

/* libcurl's sockets do not block. To an idle HTTP/2 connection frames come unasked. */
bool socket_is_stale(curl_socket_t fd, bool http2) {
  char byte;
  int n = recv(fd, &byte, 1, MSG_PEEK);
  return n == 0 || (n > 0 && !http2) || (n < 0 && WSAGetLastError() != WSAEWOULDBLOCK);
}

/* Windows tells neither before its version 10. */
int64_t socket_silence(curl_socket_t fd) {
  (void)fd;
  return -1;
}

int64_t socket_received(curl_socket_t fd) {
  (void)fd;
  return -1;
}

#else
typedef int socket_win32_is_not_built;
#endif
