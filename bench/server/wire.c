/* wire.c: see wire.h. */
#define _GNU_SOURCE
#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static SSL_CTX *context;

int wire_listen(int *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t length = sizeof address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
  if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 4096) != 0) exit(1);
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes); /* accepted sockets inherit it */
  getsockname(fd, (struct sockaddr *)&address, &length);
  *port = ntohs(address.sin_port);
  return fd;
}

void wire_use_certificate(const char *cert, const char *key) {
  context = SSL_CTX_new(TLS_server_method());
  if (context == NULL || SSL_CTX_use_certificate_chain_file(context, cert) != 1 ||
      SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
    fprintf(stderr, "server: cannot use %s and %s\n", cert, key);
    exit(1);
  }
  SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

wire_tls *wire_secure(int fd) {
  SSL *ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  SSL_set_accept_state(ssl);
  return ssl;
}

static long tls_result(SSL *ssl, int n) {
  if (n > 0) return n;
  int why = SSL_get_error(ssl, n);
  return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? WIRE_AGAIN : WIRE_GONE;
}

static long plain_result(ssize_t n) {
  if (n > 0) return (long)n;
  return n < 0 && (errno == EAGAIN || errno == EINTR) ? WIRE_AGAIN : WIRE_GONE;
}

long wire_read(int fd, wire_tls *tls, char *bytes, size_t n) {
  if (tls != NULL) return tls_result(tls, SSL_read(tls, bytes, (int)n));
  return plain_result(read(fd, bytes, n));
}

long wire_write(int fd, wire_tls *tls, const char *bytes, size_t n) {
  if (tls != NULL) return tls_result(tls, SSL_write(tls, bytes, (int)n));
  return plain_result(send(fd, bytes, n, MSG_NOSIGNAL));
}

void wire_close(int fd, wire_tls *tls) {
  if (tls != NULL) {
    SSL_shutdown(tls);
    SSL_free(tls);
  }
  close(fd);
}
