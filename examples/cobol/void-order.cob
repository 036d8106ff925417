      *> Voids an order: quotation, submit, and after a lost answer the
      *> question whether it happened.
      *>   cobc -x -fstatic-call void-order.cob atlas-postbooking.cob
      *>     -latlas_postbooking
      *>   ./void-order BASE_URL ORDER_NO
       IDENTIFICATION DIVISION.
       PROGRAM-ID. VOIDORDER.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       COPY "atlas-postbooking.cpy".
       COPY "atlas-records.cpy".
       01  BASE-URL               PIC X(200).
       01  ORDER-NO               PIC X(60).
       01  CONFIG                 PIC X(400).
       01  THIS-ORDER             PIC X(200).
       01  REQUEST-TEXT           PIC X(400).
       01  PATH                   PIC X(80).
       01  AMOUNT                 PIC X(256).
       01  CURRENCY-CODE          PIC X(256).
       01  OFFER                  PIC X(256).
       01  FOUND                  PIC X(256).
       01  ELEMENTS               BINARY-LONG.
       01  I                      BINARY-LONG.
       01  J                      BINARY-LONG.
       01  J-TEXT                 PIC Z(4)9.
       PROCEDURE DIVISION.
       MAIN-LINE.
           ACCEPT BASE-URL FROM ARGUMENT-VALUE
           ACCEPT ORDER-NO FROM ARGUMENT-VALUE
           STRING '{"baseUrl":"' DELIMITED BY SIZE
               BASE-URL DELIMITED BY SPACE
               '","clientId":"demo","clientSecret":"demo"}' X"00"
               DELIMITED BY SIZE INTO CONFIG
           CALL "ATLAS-OPEN" USING CONFIG ATLAS-REPLY ATLAS-CLIENT
           IF REPLY-STATUS NOT = APB-OK
               PERFORM NOT-VOIDED
           END-IF
           STRING '{"orderNo":"' DELIMITED BY SIZE
               ORDER-NO DELIMITED BY SPACE
               '"}' X"00" DELIMITED BY SIZE INTO THIS-ORDER
           CALL "ATLAS-INVOKE" USING ATLAS-CLIENT OP-VOID-QUOTATION
               THIS-ORDER ATLAS-REPLY
           IF REPLY-STATUS NOT = APB-OK
               PERFORM NOT-VOIDED
           END-IF
           CALL "ATLAS-FIELD" USING ATLAS-REPLY
               Z"/data/voidFareAmount/estimatedRefundAmount" AMOUNT
           CALL "ATLAS-FIELD" USING ATLAS-REPLY
               Z"/data/voidFareAmount/currency" CURRENCY-CODE
           CALL "ATLAS-FIELD" USING ATLAS-REPLY
               Z"/data/voidOfferId" OFFER
           DISPLAY "comes back: " FUNCTION TRIM(AMOUNT) " "
               FUNCTION TRIM(CURRENCY-CODE)
           CALL "ATLAS-RELEASE" USING ATLAS-REPLY
           STRING '{"orderNo":"' DELIMITED BY SIZE
               ORDER-NO DELIMITED BY SPACE
               '","voidOfferId":"' DELIMITED BY SIZE
               OFFER DELIMITED BY SPACE
               '"}' X"00" DELIMITED BY SIZE INTO REQUEST-TEXT
           CALL "ATLAS-INVOKE" USING ATLAS-CLIENT OP-VOID
               REQUEST-TEXT ATLAS-REPLY
           EVALUATE TRUE
               WHEN REPLY-STATUS = APB-OK
                   CALL "ATLAS-FIELD" USING ATLAS-REPLY
                       Z"/data/voidCode" FOUND
                   DISPLAY "voided: " FUNCTION TRIM(FOUND)
                   PERFORM DONE
               WHEN REPLY-OUTCOME NOT = APB-UNKNOWN
                   PERFORM NOT-VOIDED
           END-EVALUATE
           DISPLAY "unknown: asking whether it happened"
           CALL "ATLAS-RELEASE" USING ATLAS-REPLY
           PERFORM ASK VARYING I FROM 1 BY 1 UNTIL I > 5
           DISPLAY "still unknown: nothing is sent again"
           STOP RUN RETURNING 3.

       ASK.
           CALL "ATLAS-INVOKE" USING ATLAS-CLIENT
               OP-QUERY-VOID-ORDERS THIS-ORDER ATLAS-REPLY
           CALL "ATLAS-COUNT" USING ATLAS-REPLY Z"/data/voidOrders"
               ELEMENTS
           PERFORM VARYING J FROM 0 BY 1 UNTIL J >= ELEMENTS
               MOVE J TO J-TEXT
               STRING "/data/voidOrders/" FUNCTION TRIM(J-TEXT)
                   "/voidOfferId" X"00" DELIMITED BY SIZE INTO PATH
               CALL "ATLAS-FIELD" USING ATLAS-REPLY PATH FOUND
               IF FOUND = OFFER
                   STRING "/data/voidOrders/" FUNCTION TRIM(J-TEXT)
                       "/voidCode" X"00" DELIMITED BY SIZE INTO PATH
                   CALL "ATLAS-FIELD" USING ATLAS-REPLY PATH FOUND
                   DISPLAY "it happened: " FUNCTION TRIM(FOUND)
                   PERFORM DONE
               END-IF
           END-PERFORM
           CALL "ATLAS-RELEASE" USING ATLAS-REPLY
           CALL "usleep" USING BY VALUE 200000.

       DONE.
           CALL "ATLAS-RELEASE" USING ATLAS-REPLY
           CALL "ATLAS-CLOSE" USING ATLAS-CLIENT
           STOP RUN RETURNING 0.

       NOT-VOIDED.
           DISPLAY "not voided: " FUNCTION TRIM(REPLY-MESSAGE)
           STOP RUN RETURNING 1.
