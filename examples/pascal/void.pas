{ Voids an order: quotation, submit, and after a lost answer the question whether it happened.
    fpc -Mdelphi void.pas && ./void BASE_URL ORDER_NO }
program void;

{$mode delphi}{$H+}

uses
  SysUtils, atlaspostbooking;

function VoidOrder(Client: TAtlasClient; const Order: RawByteString): Integer;
var
  ThisOrder, Offer: RawByteString;
  Quote, Done, Listed: IReply;
  I, J: Integer;
begin
  ThisOrder := '{"orderNo":"' + Order + '"}';
  Quote := Client.Call(OP_VOID_QUOTATION, ThisOrder);
  Writeln('comes back: ', Quote.Get('/data/voidFareAmount/estimatedRefundAmount'), ' ', Quote.Get('/data/voidFareAmount/currency'));
  Offer := Quote.Get('/data/voidOfferId');
  try
    Done := Client.Call(OP_VOID, '{"orderNo":"' + Order + '","voidOfferId":"' + Offer + '"}');
    Writeln('voided: ', Done.Get('/data/voidCode'));
    Exit(0);
  except
    on EOutcomeUnknown do
      Writeln('unknown: asking whether it happened');
  end;
  for I := 1 to 5 do
  begin
    Listed := Client.Reply(OP_QUERY_VOID_ORDERS, ThisOrder);
    for J := 0 to Listed.Count('/data/voidOrders') - 1 do
      if Listed.Get('/data/voidOrders/' + IntToStr(J) + '/voidOfferId') = Offer then
      begin
        Writeln('it happened: ', Listed.Get('/data/voidOrders/' + IntToStr(J) + '/voidCode'));
        Exit(0);
      end;
    Sleep(200);
  end;
  Writeln('still unknown: nothing is sent again');
  Result := 3;
end;

var
  Client: TAtlasClient;
begin
  try
    Client := TAtlasClient.Create('{"baseUrl":"' + ParamStr(1) + '","clientId":"demo","clientSecret":"demo"}');
    try
      ExitCode := VoidOrder(Client, ParamStr(2));
    finally
      Client.Free;
    end;
  except
    on E: EAtlas do
    begin
      Writeln('not voided: ', E.Message);
      ExitCode := 1;
    end;
  end;
end.
