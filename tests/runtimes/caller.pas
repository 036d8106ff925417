{ The caller of the vectors and stories through examples/pascal; README.md has the protocol. Of the stories it has no
  READS, CANCEL and LEAVE: a client waits for each of its calls. }
program caller;

{$mode delphi}{$H+}

uses
  SysUtils, Classes, atlaspostbooking;

var
  Input, Output: THandleStream;

function Line: RawByteString;
var
  C: AnsiChar;
begin
  Result := '';
  while Input.Read(C, 1) = 1 do
  begin
    if C = #10 then
      Exit;
    Result := Result + C;
  end;
end;

function Bytes(Size: Integer): RawByteString;
begin
  SetLength(Result, Size);
  if Size > 0 then
    Input.ReadBuffer(Result[1], Size);
end;

procedure Write(const Text: RawByteString);
begin
  if Text <> '' then
    Output.WriteBuffer(Text[1], Length(Text));
end;

function Answer(const Verb: RawByteString; Times: Integer; const Operation, Config, Request, Options: RawByteString): IReply;
var
  Client: TAtlasClient;
  I: Integer;
begin
  if Verb = 'VALIDATE' then
    Exit(AtlasValidate(Operation, Request));
  if Verb = 'DESCRIBE' then
    Exit(AtlasDescribe(Operation));
  if Verb = 'LOCAL' then
    Exit(AtlasLocal(Operation, Request, Options));
  try
    Client := TAtlasClient.Create(Config);
  except
    on E: EAtlas do
      Exit(E.Reply);
  end;
  for I := 1 to Times do
    Result := Client.Reply(Operation, Request, Options);
  Client.Free;
end;

procedure Respond(Words: TStringList);
var
  Texts: array[0..3] of RawByteString;
  I, RawLen: Integer;
  Reply: IReply;
  Head, Json, Raw: RawByteString;
begin
  for I := 0 to 3 do
    Texts[I] := Bytes(StrToInt(Words[I + 2]));
  Reply := Answer(Words[0], StrToInt(Words[1]), Texts[0], Texts[1], Texts[2], Texts[3]);
  Json := Reply.Json;
  Raw := Reply.Raw;
  RawLen := -1;
  if Reply.HasRaw then
    RawLen := Length(Raw);
  Head := Format('%d %d %d %d %d %d', [Reply.Status, Ord(Reply.Outcome), Reply.HttpStatus, Reply.VendorStatus, Length(Json), RawLen]);
  Reply := nil;
  Write(Head + ' ' + IntToStr(AtlasLiveHandles) + #10);
  Write(Json);
  Write(Raw);
end;

var
  Words: TStringList;
begin
  Input := THandleStream.Create(StdInputHandle);
  Output := THandleStream.Create(StdOutputHandle);
  Words := TStringList.Create;
  Words.Delimiter := ' ';
  Write('ready'#10);
  repeat
    Words.DelimitedText := Line;
    if Words.Count = 6 then
      Respond(Words);
  until Words.Count <> 6;
end.
