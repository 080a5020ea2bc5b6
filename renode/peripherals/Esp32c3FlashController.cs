using System;
using System.Collections.Generic;
using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.Espressif;

namespace Antmicro.Renode.Peripherals.SPI
{
    // SPI1 flash controller (TRM chapter 27) with a flash behind it (EspressifFlash). Modelled: user-defined transactions on one
    // line with a command of 8 bits and an address of 24, up to 64 bytes of data; the command bits of CMD for read, program,
    // erase, status and identity. A transfer takes no time. Stored only: clock, CRC, suspend and timing settings. Not modelled:
    // several lines, other address widths.
    public class Esp32c3FlashController : IDoubleWordPeripheral, IKnownSize
    {
        public Esp32c3FlashController(IMachine machine)
        {
            flash = new EspressifFlash(machine, this);
            registers = new EspressifRegisters(this)
                .With(Command).With(Address).With(0x08, 0x002CA000, 1u << 7 | 1u << 8 | 3u << 10 | 1u << 14 | 1u << 20 | 3u << 23)
                .With(0x0C, 0xFFC).With(0x10).With(0x14, 0x00030103).With(User, 0x80000000, 0xFu << 12 | 3u << 24)
                .With(User1, 0x5C000007).With(User2, 0x70000000).With(OutLength).With(InLength).With(ReadStatus)
                .With(0x34, 0x2).With(0x38, 0xFFFFFFFF, readOnly: true).With(0x3C).WithMany(Data, 16)
                .With(0x98, 0x14).With(0x9C, 0x08002000, 0x33).With(0xA0, 0x0005757A).With(0xA4).With(0xA8).With(0xDC, 1)
                .With(0x3FC, 0x02007170, readOnly: true);
        }

        public void Reset() { registers.Reset(); }

        public uint ReadDoubleWord(long offset) { return registers.CanRead(offset) ? registers[offset] : 0; }

        public void WriteDoubleWord(long offset, uint value)
        {
            if(!registers.CanWrite(offset, value)) { return; }
            if(offset != Command)
            {
                registers[offset] = value;
                return;
            }
            if((value & 1u << 18) != 0) { UserTransaction(); }
            foreach(var command in commands)
            {
                if((value & 1u << command.Key) != 0) { BitCommand(command.Value); }
            }
        }

        public long Size { get { return 0x1000; } }

        private void UserTransaction()
        {
            var user = registers[User];
            if((user & 1u << 31) == 0 || registers[User2] >> 28 != 7)
            {
                this.Log(LogLevel.Warning, "A user transaction without a command of 8 bits is not modelled");
                return;
            }
            var hasAddress = (user & 1u << 30) != 0;
            if(hasAddress && (registers[User1] >> 26) + 1 != 24)
            {
                this.Log(LogLevel.Warning, "Only addresses of 24 bits are modelled");
                return;
            }
            var sent = (user & 1u << 27) != 0 ? GetData((registers[OutLength] & 0x3FF) / 8 + 1) : new byte[0];
            var count = (user & 1u << 28) != 0 ? (registers[InLength] & 0x3FF) / 8 + 1 : 0;
            SetData(flash.Transact((byte)registers[User2], hasAddress ? registers[Address] & 0xFFFFFF : 0, sent, count));
        }

        private void BitCommand(byte opcode)
        {
            var address = registers[Address] & 0xFFFFFF;
            var length = registers[Address] >> 24;
            var answer = flash.Transact(opcode, address, opcode == 0x02 ? GetData(length) : new byte[0],
                opcode == 0x03 ? length : opcode == 0x9F ? 3u : opcode == 0x05 ? 1u : 0);
            if(opcode == 0x05) { registers[ReadStatus] = answer[0]; }
            else { SetData(answer); }
        }

        private byte[] GetData(uint count)
        {
            var bytes = new byte[Math.Min(count, 64)];
            for(var i = 0; i < bytes.Length; i++) { bytes[i] = (byte)(registers[Data + i / 4 * 4] >> 8 * (i % 4)); }
            return bytes;
        }

        private void SetData(byte[] bytes)
        {
            for(var i = 0; i < bytes.Length; i++)
            {
                var offset = Data + i / 4 * 4;
                registers[offset] = registers[offset] & ~(0xFFu << 8 * (i % 4)) | (uint)bytes[i] << 8 * (i % 4);
            }
        }

        private readonly Dictionary<int, byte> commands = new Dictionary<int, byte>
        {
            { 22, 0xC7 }, { 23, 0xD8 }, { 24, 0x20 }, { 25, 0x02 }, { 27, 0x05 }, { 28, 0x9F }, { 29, 0x04 }, { 30, 0x06 }, { 31, 0x03 }
        };
        private readonly EspressifFlash flash;
        private readonly EspressifRegisters registers;

        private const long Command = 0x00, Address = 0x04, User = 0x18, User1 = 0x1C, User2 = 0x20, OutLength = 0x24, InLength = 0x28;
        private const long ReadStatus = 0x2C, Data = 0x58;
    }
}
