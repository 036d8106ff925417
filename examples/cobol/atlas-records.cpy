      *> A client, and the reply of a call.
       01  ATLAS-CLIENT.
           05  CLIENT-HANDLE      USAGE POINTER.
           05  CLIENT-QUEUE       USAGE POINTER.
       01  ATLAS-REPLY.
           05  REPLY-HANDLE       USAGE POINTER.
      *>   APB-OK or an error; then APB-UNKNOWN, APB-EXECUTED ...
           05  REPLY-STATUS       BINARY-LONG.
           05  REPLY-OUTCOME      BINARY-LONG.
           05  REPLY-HTTP         BINARY-LONG.
           05  REPLY-VENDOR       BINARY-LONG.
           05  REPLY-MESSAGE      PIC X(200).
      *>   The whole reply, and what the vendor sent, until the
      *>   reply is released.
           05  REPLY-JSON         USAGE POINTER.
           05  REPLY-JSON-LEN     BINARY-DOUBLE UNSIGNED.
           05  REPLY-RAW          USAGE POINTER.
           05  REPLY-RAW-LEN      BINARY-DOUBLE UNSIGNED.
