      *> The caller of the vectors and stories through examples/cobol;
      *> README.md has the protocol. Of the stories it has no READS and
      *> no CANCEL: a COBOL program waits for each of its calls.
       IDENTIFICATION DIVISION.
       PROGRAM-ID. CALLER.
       DATA DIVISION.
       WORKING-STORAGE SECTION.
       COPY "atlas-postbooking.cpy".
       COPY "atlas-records.cpy".
       01  OWN-QUEUE              USAGE POINTER.
       01  HEAD-LINE              PIC X(120).
       01  AT-CHARACTER           BINARY-LONG.
       01  CHARACTER-READ         PIC X.
       01  RESULT-CODE            BINARY-DOUBLE.
       01  VERB                   PIC X(10).
       01  TIMES-TEXT             PIC X(10).
       01  SIZE-TEXTS.
           05  SIZE-TEXT          PIC X(12) OCCURS 4.
       01  TIMES-LEFT             BINARY-LONG.
       01  TEXTS.
           05  ONE-TEXT OCCURS 4.
               10  TEXT-AT        USAGE POINTER.
               10  TEXT-LEN       BINARY-DOUBLE.
       01  K                      BINARY-LONG.
       01  READ-AT                USAGE POINTER.
       01  LEFT-TO-READ           BINARY-DOUBLE.
       01  SIZE-TO-GET            BINARY-DOUBLE.
       01  LIVE                   BINARY-DOUBLE.
       01  NUMBER-OUT             PIC -(11)9.
       01  HEAD-OUT               PIC X(120).
       01  HEAD-AT                BINARY-LONG.
       01  WRITE-AT               USAGE POINTER.
       01  WRITE-LEN              BINARY-DOUBLE.
       01  RAW-LEN                BINARY-DOUBLE.
       LINKAGE SECTION.
       01  OPERATION              PIC X.
       01  ONE-BYTE               PIC X.
       PROCEDURE DIVISION.
       MAIN-LINE.
           CALL "apb_queue_new" USING BY REFERENCE OWN-QUEUE
           MOVE "ready" TO HEAD-OUT
           MOVE X"0A" TO HEAD-OUT (6:1)
           SET WRITE-AT TO ADDRESS OF HEAD-OUT
           MOVE 6 TO WRITE-LEN
           PERFORM WRITE-ALL
           PERFORM UNTIL 1 = 2
               PERFORM READ-HEAD
               PERFORM READ-TEXTS VARYING K FROM 1 BY 1 UNTIL K > 4
               PERFORM ANSWER
               PERFORM WRITE-ANSWER
               PERFORM VARYING K FROM 1 BY 1 UNTIL K > 4
                   FREE TEXT-AT (K)
               END-PERFORM
           END-PERFORM.

       READ-HEAD.
           MOVE SPACES TO HEAD-LINE
           MOVE 0 TO AT-CHARACTER
           PERFORM WITH TEST AFTER UNTIL CHARACTER-READ = X"0A"
               CALL "read" USING BY VALUE 0
                   BY REFERENCE CHARACTER-READ BY VALUE SIZE 8 1
                   RETURNING RESULT-CODE
               IF RESULT-CODE < 1
                   STOP RUN RETURNING 0
               END-IF
               ADD 1 TO AT-CHARACTER
               IF CHARACTER-READ NOT = X"0A"
                   MOVE CHARACTER-READ TO HEAD-LINE (AT-CHARACTER:1)
               END-IF
           END-PERFORM
           UNSTRING HEAD-LINE DELIMITED BY SPACE INTO VERB TIMES-TEXT
               SIZE-TEXT (1) SIZE-TEXT (2) SIZE-TEXT (3)
               SIZE-TEXT (4)
           COMPUTE TIMES-LEFT = FUNCTION NUMVAL(TIMES-TEXT).

       READ-TEXTS.
           COMPUTE TEXT-LEN (K) = FUNCTION NUMVAL(SIZE-TEXT (K))
           COMPUTE SIZE-TO-GET = TEXT-LEN (K) + 1
           ALLOCATE SIZE-TO-GET CHARACTERS RETURNING TEXT-AT (K)
           SET READ-AT TO TEXT-AT (K)
           MOVE TEXT-LEN (K) TO LEFT-TO-READ
           PERFORM UNTIL LEFT-TO-READ = 0
               CALL "read" USING BY VALUE 0 BY VALUE READ-AT
                   BY VALUE SIZE 8 LEFT-TO-READ RETURNING RESULT-CODE
               IF RESULT-CODE < 1
                   STOP RUN RETURNING 0
               END-IF
               SUBTRACT RESULT-CODE FROM LEFT-TO-READ
               SET READ-AT UP BY RESULT-CODE
           END-PERFORM
           SET ADDRESS OF ONE-BYTE TO READ-AT
           MOVE X"00" TO ONE-BYTE.

       ANSWER.
           MOVE LOW-VALUES TO ATLAS-CLIENT ATLAS-REPLY
           SET ADDRESS OF OPERATION TO TEXT-AT (1)
           EVALUATE VERB
               WHEN "VALIDATE"
                   CALL "apb_validate" USING BY VALUE TEXT-AT (1)
                       BY VALUE TEXT-AT (3) BY VALUE SIZE 8 TEXT-LEN (3)
                       BY REFERENCE REPLY-HANDLE
                   CALL "ATLAS-READ" USING ATLAS-REPLY
               WHEN "DESCRIBE"
                   IF TEXT-LEN (1) = 0
                       CALL "apb_describe" USING BY VALUE SIZE 8 0
                           BY REFERENCE REPLY-HANDLE
                   ELSE
                       CALL "apb_describe" USING BY VALUE TEXT-AT (1)
                           BY REFERENCE REPLY-HANDLE
                   END-IF
                   CALL "ATLAS-READ" USING ATLAS-REPLY
               WHEN "LOCAL"
                   PERFORM CALL-IT
               WHEN OTHER
                   CALL "apb_client_new" USING BY VALUE TEXT-AT (2)
                       BY VALUE SIZE 8 TEXT-LEN (2)
                       BY REFERENCE CLIENT-HANDLE
                       BY REFERENCE REPLY-HANDLE
                       RETURNING REPLY-STATUS
                   IF REPLY-STATUS = APB-OK
                       PERFORM CALL-IT TIMES-LEFT TIMES
                       CALL "apb_client_free" USING
                           BY VALUE CLIENT-HANDLE
                   ELSE
                       CALL "ATLAS-READ" USING ATLAS-REPLY
                   END-IF
           END-EVALUATE.

       CALL-IT.
           IF REPLY-HANDLE NOT = NULL
               CALL "ATLAS-RELEASE" USING ATLAS-REPLY
           END-IF
           SET CLIENT-QUEUE TO OWN-QUEUE
           CALL "ATLAS-INVOKE-WITH" USING ATLAS-CLIENT OPERATION
               TEXT-AT (3) TEXT-LEN (3) TEXT-AT (4) TEXT-LEN (4)
               ATLAS-REPLY.

       WRITE-ANSWER.
           MOVE SPACES TO HEAD-OUT
           MOVE 1 TO HEAD-AT
           MOVE REPLY-STATUS TO NUMBER-OUT
           PERFORM ADD-NUMBER
           MOVE REPLY-OUTCOME TO NUMBER-OUT
           PERFORM ADD-NUMBER
           MOVE REPLY-HTTP TO NUMBER-OUT
           PERFORM ADD-NUMBER
           MOVE REPLY-VENDOR TO NUMBER-OUT
           PERFORM ADD-NUMBER
           MOVE REPLY-JSON-LEN TO NUMBER-OUT
           PERFORM ADD-NUMBER
           MOVE -1 TO RAW-LEN
           IF REPLY-RAW NOT = NULL
               MOVE REPLY-RAW-LEN TO RAW-LEN
           END-IF
           MOVE RAW-LEN TO NUMBER-OUT
           PERFORM ADD-NUMBER
      *>   The queue, and the reply that is written.
           CALL "apb_live_handles" RETURNING LIVE
           SUBTRACT 2 FROM LIVE
           MOVE LIVE TO NUMBER-OUT
           PERFORM ADD-NUMBER
           MOVE X"0A" TO HEAD-OUT (HEAD-AT - 1:1)
           SET WRITE-AT TO ADDRESS OF HEAD-OUT
           COMPUTE WRITE-LEN = HEAD-AT - 1
           PERFORM WRITE-ALL
           SET WRITE-AT TO REPLY-JSON
           MOVE REPLY-JSON-LEN TO WRITE-LEN
           PERFORM WRITE-ALL
           IF RAW-LEN > 0
               SET WRITE-AT TO REPLY-RAW
               MOVE RAW-LEN TO WRITE-LEN
               PERFORM WRITE-ALL
           END-IF
           CALL "ATLAS-RELEASE" USING ATLAS-REPLY.

       ADD-NUMBER.
           STRING FUNCTION TRIM(NUMBER-OUT) " " DELIMITED BY SIZE
               INTO HEAD-OUT WITH POINTER HEAD-AT.

       WRITE-ALL.
           PERFORM UNTIL WRITE-LEN = 0
               CALL "write" USING BY VALUE 1 BY VALUE WRITE-AT
                   BY VALUE SIZE 8 WRITE-LEN RETURNING RESULT-CODE
               IF RESULT-CODE < 1
                   STOP RUN RETURNING 4
               END-IF
               SUBTRACT RESULT-CODE FROM WRITE-LEN
               SET WRITE-AT UP BY RESULT-CODE
           END-PERFORM.
