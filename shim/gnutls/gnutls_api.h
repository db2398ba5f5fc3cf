/*
 * What the recorder uses of GnuTLS's interface, 3.6 to 3.8, declared here: the
 * build then needs no package of GnuTLS's, and the library's file stays
 * libgnutls.so.30 throughout. tests/programs/gnutls_client.c includes the real
 * header before this one, so that the compiler compares both.
 */
#ifndef TLSWITNESS_GNUTLS_API_H
#define TLSWITNESS_GNUTLS_API_H

#include <stddef.h>
#include <sys/types.h>

/* GNUTLS_GNUTLS_H and _X509_H: the real headers were there first. */
#ifndef GNUTLS_GNUTLS_H
typedef unsigned int gnutls_certificate_type_t;
typedef struct gnutls_session_int *gnutls_session_t;
typedef struct gnutls_priority_st *gnutls_priority_t;
typedef struct gnutls_x509_crt_int *gnutls_x509_crt_t;
typedef struct gnutls_x509_crl_int *gnutls_x509_crl_t;
typedef struct gnutls_x509_trust_list_st *gnutls_x509_trust_list_t;
typedef int gnutls_verify_output_function(gnutls_x509_crt_t certificate, gnutls_x509_crt_t issuer,
					  gnutls_x509_crl_t list, unsigned int status);
typedef struct mbuffer_st *gnutls_packet_t;
typedef void *gnutls_transport_ptr_t;

/* Enumerations of its; their size is all that is needed here. */
typedef unsigned int gnutls_alert_description_t;
typedef unsigned int gnutls_cipher_algorithm_t;
typedef unsigned int gnutls_digest_algorithm_t;
typedef unsigned int gnutls_group_t;
typedef unsigned int gnutls_kx_algorithm_t;
typedef unsigned int gnutls_mac_algorithm_t;
typedef unsigned int gnutls_protocol_t;

typedef struct {
	unsigned char *data;
	unsigned int size;
} gnutls_datum_t;

typedef struct {
	unsigned int type;
	unsigned char *data;
	unsigned int size;
} gnutls_typed_vdata_st;

typedef struct {
	size_t low;
	size_t high;
} gnutls_range_st;

/* Flags of gnutls_init. */
#define GNUTLS_CLIENT   (1 << 1)
#define GNUTLS_DATAGRAM (1 << 2)

#define GNUTLS_PRIORITY_INIT_DEF_APPEND 1

#define GNUTLS_E_UNSUPPORTED_VERSION_PACKET (-8)
#define GNUTLS_E_UNEXPECTED_PACKET_LENGTH   (-9)
#define GNUTLS_E_FATAL_ALERT_RECEIVED       (-12)
#define GNUTLS_E_UNEXPECTED_PACKET          (-15)
#define GNUTLS_E_CERTIFICATE_ERROR          (-43)
#define GNUTLS_E_PUSH_ERROR                 (-53)
#define GNUTLS_E_PULL_ERROR                 (-54)
#define GNUTLS_E_INTERNAL_ERROR             (-59)
#define GNUTLS_E_PREMATURE_TERMINATION      (-110)
#define GNUTLS_E_NO_PRIORITIES_WERE_SET     (-326)

/* gnutls_protocol_t: SSL 3.0 is 1, and so on to TLS 1.3. */
#define GNUTLS_TLS1_3 5

/* gnutls_kx_algorithm_t */
#define GNUTLS_KX_UNKNOWN 0

#define GNUTLS_A_PROTOCOL_VERSION 70

/* Bits of a certificate's status, gnutls_certificate_status_t. */
#define GNUTLS_CERT_INVALID          (1 << 1)
#define GNUTLS_CERT_SIGNER_NOT_FOUND (1 << 6)
#define GNUTLS_CERT_SIGNER_NOT_CA    (1 << 7)
#define GNUTLS_CERT_EXPIRED          (1 << 10)
#define GNUTLS_CERT_UNEXPECTED_OWNER (1 << 14)

/* Types of a gnutls_typed_vdata_st. */
#define GNUTLS_DT_DNS_HOSTNAME 1
#define GNUTLS_DT_RFC822NAME   3
#define GNUTLS_DT_IP_ADDRESS   4
#endif

/* The same of libgnutls-dane's. */
#ifndef GNUTLS_DANE_H
typedef struct dane_state_st *dane_state_t;
typedef struct dane_query_st *dane_query_t;

#define DANE_CERT_USAGE_CA       0
#define DANE_CERT_USAGE_EE       1
#define DANE_CERT_USAGE_LOCAL_CA 2
#define DANE_CERT_USAGE_LOCAL_EE 3

#define DANE_VFLAG_ONLY_CHECK_EE_USAGE (1 << 1)
#define DANE_VFLAG_ONLY_CHECK_CA_USAGE (1 << 2)

#define DANE_E_INITIALIZATION_ERROR (-1)
#endif

/* The security profile among a session's verification flags. */
#define GNUTLS_API_PROFILE_MASK 0xff000000U

/* ---- hooks: the handshake and the bytes inside ---- */

int gnutls_init(gnutls_session_t *session, unsigned int flags);
void gnutls_deinit(gnutls_session_t session);
int gnutls_handshake(gnutls_session_t session);
ssize_t gnutls_record_recv(gnutls_session_t session, void *data, size_t size);
ssize_t gnutls_record_recv_seq(gnutls_session_t session, void *data, size_t size,
			       unsigned char *sequence);
ssize_t gnutls_record_recv_packet(gnutls_session_t session, gnutls_packet_t *packet);
ssize_t gnutls_record_send(gnutls_session_t session, const void *data, size_t size);
ssize_t gnutls_record_send2(gnutls_session_t session, const void *data, size_t size, size_t pad,
			    unsigned int flags);
ssize_t gnutls_record_send_range(gnutls_session_t session, const void *data, size_t size,
				 const gnutls_range_st *range);
void gnutls_transport_set_ptr(gnutls_session_t session, gnutls_transport_ptr_t pointer);
void gnutls_transport_set_ptr2(gnutls_session_t session, gnutls_transport_ptr_t receiving,
			       gnutls_transport_ptr_t sending);
void gnutls_transport_set_int2(gnutls_session_t session, int receiving, int sending);

/* ---- hooks: settings ---- */

int gnutls_priority_init(gnutls_priority_t *priority, const char *text, const char **error);
int gnutls_priority_init2(gnutls_priority_t *priority, const char *text, const char **error,
			  unsigned int flags);
void gnutls_priority_deinit(gnutls_priority_t priority);
int gnutls_priority_set(gnutls_session_t session, gnutls_priority_t priority);
int gnutls_priority_set_direct(gnutls_session_t session, const char *text, const char **error);
int gnutls_set_default_priority(gnutls_session_t session);
int gnutls_set_default_priority_append(gnutls_session_t session, const char *text,
				       const char **error, unsigned int flags);
void gnutls_dh_set_prime_bits(gnutls_session_t session, unsigned int bits);

/* ---- hooks: the certificate ---- */

void gnutls_session_set_verify_cert(gnutls_session_t session, const char *hostname,
				    unsigned int flags);
void gnutls_session_set_verify_cert2(gnutls_session_t session, gnutls_typed_vdata_st *data,
				     unsigned int elements, unsigned int flags);
int gnutls_certificate_verify_peers(gnutls_session_t session, gnutls_typed_vdata_st *data,
				    unsigned int elements, unsigned int *status);
int gnutls_certificate_verify_peers2(gnutls_session_t session, unsigned int *status);
int gnutls_certificate_verify_peers3(gnutls_session_t session, const char *hostname,
				     unsigned int *status);
int gnutls_x509_trust_list_verify_crt(gnutls_x509_trust_list_t list, gnutls_x509_crt_t *chain,
				      unsigned int size, unsigned int flags, unsigned int *status,
				      gnutls_verify_output_function *output);
int gnutls_x509_trust_list_verify_crt2(gnutls_x509_trust_list_t list, gnutls_x509_crt_t *chain,
				       unsigned int size, gnutls_typed_vdata_st *data,
				       unsigned int elements, unsigned int flags,
				       unsigned int *status, gnutls_verify_output_function *output);
int gnutls_x509_crt_list_verify(const gnutls_x509_crt_t *chain, unsigned int size,
				const gnutls_x509_crt_t *authorities, unsigned int authority_count,
				const gnutls_x509_crl_t *lists, unsigned int list_count,
				unsigned int flags, unsigned int *status);
unsigned int gnutls_x509_crt_check_hostname(gnutls_x509_crt_t certificate, const char *hostname);
unsigned int gnutls_x509_crt_check_hostname2(gnutls_x509_crt_t certificate, const char *hostname,
					     unsigned int flags);
unsigned int gnutls_x509_crt_check_ip(gnutls_x509_crt_t certificate, const unsigned char *ip,
				      unsigned int size, unsigned int flags);
int gnutls_x509_crt_get_subject_alt_name(gnutls_x509_crt_t certificate, unsigned int index,
					 void *name, size_t *size, unsigned int *critical);
int gnutls_x509_crt_get_subject_alt_name2(gnutls_x509_crt_t certificate, unsigned int index,
					  void *name, size_t *size, unsigned int *type,
					  unsigned int *critical);
int gnutls_x509_crt_get_fingerprint(gnutls_x509_crt_t certificate,
				    gnutls_digest_algorithm_t algorithm, void *bytes, size_t *size);

/* ---- hooks: the certificate, by DANE ---- */

int dane_verify_crt_raw(dane_state_t state, const gnutls_datum_t *chain, unsigned chain_size,
			gnutls_certificate_type_t type, dane_query_t records,
			unsigned int source_flags, unsigned int flags, unsigned int *status);
int dane_verify_crt(dane_state_t state, const gnutls_datum_t *chain, unsigned chain_size,
		    gnutls_certificate_type_t type, const char *hostname, const char *protocol,
		    unsigned int port, unsigned int source_flags, unsigned int flags,
		    unsigned int *status);
int dane_verify_session_crt(dane_state_t state, gnutls_session_t session, const char *hostname,
			    const char *protocol, unsigned int port, unsigned int source_flags,
			    unsigned int flags, unsigned int *status);

/* ---- what else is asked ---- */

int dane_query_data(dane_query_t records, unsigned int index, unsigned int *usage,
		    unsigned int *type, unsigned int *match, gnutls_datum_t *data);

int gnutls_error_is_fatal(int error);
const char *gnutls_strerror(int error);
gnutls_alert_description_t gnutls_alert_get(gnutls_session_t session);
const char *gnutls_alert_get_name(gnutls_alert_description_t alert);
gnutls_transport_ptr_t gnutls_transport_get_ptr(gnutls_session_t session);
gnutls_protocol_t gnutls_protocol_get_version(gnutls_session_t session);
gnutls_cipher_algorithm_t gnutls_cipher_get(gnutls_session_t session);
gnutls_kx_algorithm_t gnutls_kx_get(gnutls_session_t session);
gnutls_mac_algorithm_t gnutls_mac_get(gnutls_session_t session);
const char *gnutls_cipher_suite_info(size_t index, unsigned char *id, gnutls_kx_algorithm_t *kx,
				     gnutls_cipher_algorithm_t *cipher, gnutls_mac_algorithm_t *mac,
				     gnutls_protocol_t *min_version);
gnutls_group_t gnutls_group_get(gnutls_session_t session);
int gnutls_session_is_resumed(gnutls_session_t session);
void gnutls_session_get_random(gnutls_session_t session, gnutls_datum_t *client,
			       gnutls_datum_t *server);
unsigned int gnutls_session_get_verify_cert_status(gnutls_session_t session);
const gnutls_datum_t *gnutls_certificate_get_peers(gnutls_session_t session, unsigned int *count);
unsigned int gnutls_x509_crt_equals2(gnutls_x509_crt_t certificate, const gnutls_datum_t *der);
int gnutls_priority_protocol_list(gnutls_priority_t priority, const unsigned int **list);
const char *gnutls_check_version(const char *least);
void gnutls_packet_get(gnutls_packet_t packet, gnutls_datum_t *data, unsigned char *sequence);

#endif
