;; Sends one mail with Emacs's smtpmail: PORT starttls|implicit|none CA-FILE|off
;; Its credentials are in ~/.authinfo.

(require 'smtpmail)
(require 'gnutls)
(require 'nsm)

(defun send-one (port mode authority)
  (setq gnutls-algorithm-priority "NORMAL:+VERS-TLS1.0:+VERS-TLS1.1"
        gnutls-verify-error (not (equal authority "off"))
        gnutls-trustfiles (unless (equal authority "off") (list authority))
        ;; Nobody is there to be asked about the certificate a second time.
        network-security-level 'low
        nsm-settings-file (expand-file-name "~/network-security.data")
        smtpmail-smtp-server "localhost"
        smtpmail-smtp-service port
        smtpmail-stream-type (pcase mode ("implicit" 'ssl) ("starttls" 'starttls) (_ 'plain))
        user-mail-address "a@example.com"
        mail-host-address "client.example.com")
  (with-temp-buffer
    (insert "From: a@example.com\nTo: b@example.com\nSubject: rehearsal\n"
            mail-header-separator "\nhello\n")
    (smtpmail-send-it)))

(let ((arguments command-line-args-left))
  (setq command-line-args-left nil)
  (send-one (string-to-number (nth 0 arguments)) (nth 1 arguments) (nth 2 arguments)))
