      *> Post-booking calls of the Atlas flight API: refunds, voids,
      *> ancillaries. Programs to CALL:
      *>
      *>   ATLAS-OPEN    USING CONFIG ATLAS-REPLY ATLAS-CLIENT
      *>   ATLAS-INVOKE  USING ATLAS-CLIENT OPERATION REQUEST
      *>                       ATLAS-REPLY
      *>   ATLAS-FIELD   USING ATLAS-REPLY PATH TEXT-256
      *>   ATLAS-COUNT   USING ATLAS-REPLY PATH ELEMENTS
      *>   ATLAS-RELEASE USING ATLAS-REPLY
      *>   ATLAS-CLOSE   USING ATLAS-CLIENT
      *>
      *> CONFIG, OPERATION, REQUEST and PATH are texts that end with
      *> X"00": Z"..." literals, or STRING ... X"00" DELIMITED BY SIZE.
      *> The two records are in atlas-records.cpy, the constants and
      *> the names of the operations in atlas-postbooking.cpy. Amounts
      *> are decimal texts: NUMVAL into a COMP-3 is exact.
      *>
      *> Look at REPLY-OUTCOME before anything is done again: if it is
      *> APB-UNKNOWN the submit may have been executed. Query, and
      *> never submit again.
      *>
      *> A call waits in apb_queue_next for its reply. Release each
      *> reply.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. ATLAS-OPEN.
       DATA DIVISION.
       LINKAGE SECTION.
       01  CONFIG                 PIC X.
       COPY "atlas-records.cpy".
       PROCEDURE DIVISION USING CONFIG ATLAS-REPLY ATLAS-CLIENT.
           MOVE LOW-VALUES TO ATLAS-REPLY ATLAS-CLIENT
           CALL "apb_client_new" USING BY REFERENCE CONFIG
               BY VALUE SIZE 8 -1
               BY REFERENCE CLIENT-HANDLE BY REFERENCE REPLY-HANDLE
               RETURNING REPLY-STATUS
           IF REPLY-STATUS = 0
               CALL "apb_queue_new" USING BY REFERENCE CLIENT-QUEUE
                   RETURNING REPLY-STATUS
           ELSE
               CALL "ATLAS-READ" USING ATLAS-REPLY
           END-IF
           GOBACK.
       END PROGRAM ATLAS-OPEN.

       IDENTIFICATION DIVISION.
       PROGRAM-ID. ATLAS-INVOKE.
       DATA DIVISION.
       LOCAL-STORAGE SECTION.
       01  REQUEST-AT             USAGE POINTER.
       01  NUL-TERMINATED         BINARY-DOUBLE VALUE -1.
       01  OPTIONS-AT             USAGE POINTER VALUE NULL.
       01  OPTIONS-LEN            BINARY-DOUBLE VALUE 0.
       LINKAGE SECTION.
       01  OPERATION              PIC X.
       01  REQUEST-TEXT           PIC X.
       COPY "atlas-records.cpy".
       PROCEDURE DIVISION USING ATLAS-CLIENT OPERATION REQUEST-TEXT
           ATLAS-REPLY.
           SET REQUEST-AT TO ADDRESS OF REQUEST-TEXT
           CALL "ATLAS-INVOKE-WITH" USING ATLAS-CLIENT OPERATION
               REQUEST-AT NUL-TERMINATED OPTIONS-AT OPTIONS-LEN
               ATLAS-REPLY
           GOBACK.
       END PROGRAM ATLAS-INVOKE.

      *> SIZE 8 is needed: without it GnuCOBOL passes 32 bits.
      *> The same with options, and with lengths. A client of
      *> LOW-VALUES with a queue is enough for parseWebhook.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. ATLAS-INVOKE-WITH.
       DATA DIVISION.
       LOCAL-STORAGE SECTION.
       01  TAG                    BINARY-DOUBLE UNSIGNED VALUE 0.
       01  NO-CANCEL              USAGE POINTER VALUE NULL.
       LINKAGE SECTION.
       01  OPERATION              PIC X.
       01  REQUEST-AT             USAGE POINTER.
       01  REQUEST-LEN            BINARY-DOUBLE.
       01  OPTIONS-AT             USAGE POINTER.
       01  OPTIONS-LEN            BINARY-DOUBLE.
       COPY "atlas-records.cpy".
       PROCEDURE DIVISION USING ATLAS-CLIENT OPERATION REQUEST-AT
           REQUEST-LEN OPTIONS-AT OPTIONS-LEN ATLAS-REPLY.
           MOVE LOW-VALUES TO ATLAS-REPLY
           CALL "apb_start" USING BY VALUE CLIENT-HANDLE
               BY REFERENCE OPERATION
               BY VALUE REQUEST-AT BY VALUE SIZE 8 REQUEST-LEN
               BY VALUE OPTIONS-AT BY VALUE SIZE 8 OPTIONS-LEN
               BY VALUE CLIENT-QUEUE BY VALUE SIZE 8 1
               BY VALUE NO-CANCEL
               RETURNING REPLY-STATUS
           IF REPLY-STATUS = 0
               CALL "apb_queue_next" USING BY VALUE CLIENT-QUEUE
                   BY VALUE SIZE 8 -1
                   BY REFERENCE TAG BY REFERENCE REPLY-HANDLE
                   RETURNING REPLY-STATUS
               CALL "ATLAS-READ" USING ATLAS-REPLY
           END-IF
           GOBACK.
       END PROGRAM ATLAS-INVOKE-WITH.

      *> Fills the record from the reply in REPLY-HANDLE.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. ATLAS-READ.
       DATA DIVISION.
       LOCAL-STORAGE SECTION.
       01  MESSAGE-LEN            BINARY-LONG VALUE 200.
       LINKAGE SECTION.
       COPY "atlas-records.cpy".
       PROCEDURE DIVISION USING ATLAS-REPLY.
           CALL "apb_reply_status" USING BY VALUE REPLY-HANDLE
               RETURNING REPLY-STATUS
           CALL "apb_reply_outcome" USING BY VALUE REPLY-HANDLE
               RETURNING REPLY-OUTCOME
           CALL "apb_reply_http_status" USING BY VALUE REPLY-HANDLE
               RETURNING REPLY-HTTP
           CALL "apb_reply_vendor_status" USING BY VALUE REPLY-HANDLE
               RETURNING REPLY-VENDOR
           CALL "apb_reply_json" USING BY VALUE REPLY-HANDLE
               BY REFERENCE REPLY-JSON-LEN RETURNING REPLY-JSON
           CALL "apb_reply_raw" USING BY VALUE REPLY-HANDLE
               BY REFERENCE REPLY-RAW-LEN RETURNING REPLY-RAW
           MOVE SPACES TO REPLY-MESSAGE
           IF REPLY-STATUS NOT = 0
               CALL "ATLAS-TEXT" USING ATLAS-REPLY Z"/error/message"
                   REPLY-MESSAGE MESSAGE-LEN
           END-IF
           GOBACK.
       END PROGRAM ATLAS-READ.

      *> Copies the field at a JSON Pointer into a text of a length;
      *> spaces if there is none.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. ATLAS-TEXT.
       DATA DIVISION.
       LOCAL-STORAGE SECTION.
       01  FOUND                  USAGE POINTER.
       01  FOUND-LEN              BINARY-DOUBLE UNSIGNED.
       LINKAGE SECTION.
       01  FOUND-TEXT             PIC X(8000).
       01  PATH                   PIC X.
       01  TARGET-TEXT            PIC X(8000).
       01  TARGET-LEN             BINARY-LONG.
       COPY "atlas-records.cpy".
       PROCEDURE DIVISION USING ATLAS-REPLY PATH TARGET-TEXT
           TARGET-LEN.
           MOVE SPACES TO TARGET-TEXT (1:TARGET-LEN)
           CALL "apb_reply_get" USING BY VALUE REPLY-HANDLE
               BY REFERENCE PATH BY REFERENCE FOUND-LEN
               RETURNING FOUND
           IF FOUND NOT = NULL AND FOUND-LEN > 0
               SET ADDRESS OF FOUND-TEXT TO FOUND
               IF FOUND-LEN > TARGET-LEN
                   MOVE TARGET-LEN TO FOUND-LEN
               END-IF
               MOVE FOUND-TEXT (1:FOUND-LEN)
                   TO TARGET-TEXT (1:TARGET-LEN)
           END-IF
           GOBACK.
       END PROGRAM ATLAS-TEXT.

       IDENTIFICATION DIVISION.
       PROGRAM-ID. ATLAS-FIELD.
       DATA DIVISION.
       LOCAL-STORAGE SECTION.
       01  TEXT-LEN               BINARY-LONG VALUE 256.
       LINKAGE SECTION.
       01  PATH                   PIC X.
       01  TEXT-256               PIC X(256).
       COPY "atlas-records.cpy".
       PROCEDURE DIVISION USING ATLAS-REPLY PATH TEXT-256.
           CALL "ATLAS-TEXT" USING ATLAS-REPLY PATH TEXT-256 TEXT-LEN
           GOBACK.
       END PROGRAM ATLAS-FIELD.

      *> The number of elements of the list at a JSON Pointer.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. ATLAS-COUNT.
       DATA DIVISION.
       LINKAGE SECTION.
       01  PATH                   PIC X.
       01  ELEMENTS               BINARY-LONG.
       COPY "atlas-records.cpy".
       PROCEDURE DIVISION USING ATLAS-REPLY PATH ELEMENTS.
           CALL "apb_reply_count" USING BY VALUE REPLY-HANDLE
               BY REFERENCE PATH RETURNING ELEMENTS
           GOBACK.
       END PROGRAM ATLAS-COUNT.

       IDENTIFICATION DIVISION.
       PROGRAM-ID. ATLAS-RELEASE.
       DATA DIVISION.
       LINKAGE SECTION.
       COPY "atlas-records.cpy".
       PROCEDURE DIVISION USING ATLAS-REPLY.
           CALL "apb_reply_free" USING BY VALUE REPLY-HANDLE
           MOVE LOW-VALUES TO ATLAS-REPLY
           GOBACK.
       END PROGRAM ATLAS-RELEASE.

       IDENTIFICATION DIVISION.
       PROGRAM-ID. ATLAS-CLOSE.
       DATA DIVISION.
       LINKAGE SECTION.
       COPY "atlas-records.cpy".
       PROCEDURE DIVISION USING ATLAS-CLIENT.
           CALL "apb_client_free" USING BY VALUE CLIENT-HANDLE
           CALL "apb_queue_free" USING BY VALUE CLIENT-QUEUE
           MOVE LOW-VALUES TO ATLAS-CLIENT
           GOBACK.
       END PROGRAM ATLAS-CLOSE.
