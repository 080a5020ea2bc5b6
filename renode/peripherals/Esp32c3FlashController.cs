using System;
using System.Collections.Generic;
using Antmicro.Renode.Core;
using Antmicro.Renode.Logging;
using Antmicro.Renode.Peripherals.Bus;
using Antmicro.Renode.Peripherals.CPU;
using Antmicro.Renode.Peripherals.Esp32c3;

namespace Antmicro.Renode.Peripherals.SPI
{
    // SPI1 flash controller (TRM chapter 27) and the 4 MB NOR flash behind it (Winbond W25Q32JV). Modelled: user-defined
    // transactions on one line with a command of 8 bits and an address of 24, up to 64 bytes of data; the command bits of
    // CMD for read, program, erase, status and identity; page wrap, bits that only turn to 0, write enable, and the time that
    // erasing and programming take (status bit WIP). A transfer takes no time. Stored only: clock, CRC, suspend and timing
    // settings. Not modelled: several lines, other address widths, suspend, security registers, and that code cannot be
    // fetched from the flash meanwhile. The content outlives all resets.
    public class Esp32c3FlashController : IDoubleWordPeripheral, IKnownSize
    {
        public Esp32c3FlashController(IMachine machine)
        {
            this.machine = machine;
            for(var i = 0; i < Capacity; i++) { content[i] = 0xFF; }
            registers = new Esp32c3Registers(this)
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
            SetData(Transact((byte)registers[User2], hasAddress ? registers[Address] & 0xFFFFFF : 0, sent, count));
        }

        private void BitCommand(byte opcode)
        {
            var address = registers[Address] & 0xFFFFFF;
            var length = registers[Address] >> 24;
            var answer = Transact(opcode, address, opcode == 0x02 ? GetData(length) : new byte[0],
                opcode == 0x03 ? length : opcode == 0x9F ? 3u : opcode == 0x05 ? 1u : 0);
            if(opcode == 0x05) { registers[ReadStatus] = answer[0]; }
            else { SetData(answer); }
        }

        private byte[] Transact(byte opcode, uint address, byte[] sent, uint count)
        {
            var answer = new byte[Math.Min(count, 64)];
            var busy = Now() < busyUntil;
            if(opcode == 0x05)
            {
                for(var i = 0; i < answer.Length; i++) { answer[i] = (byte)((busy ? 1 : 0) | (writeEnabled ? 2 : 0)); }
                return answer;
            }
            if(busy)
            {
                this.Log(LogLevel.Warning, "Command 0x{0:X2} while erasing or programming: it is ignored", opcode);
                return answer;
            }
            switch(opcode)
            {
            case 0x03:
            case 0x0B:
                for(var i = 0; i < answer.Length; i++) { answer[i] = content[(address + i) % Capacity]; }
                break;
            case 0x9F:
                for(var i = 0; i < answer.Length; i++) { answer[i] = i < 3 ? identity[i] : (byte)0; }
                break;
            case 0x06: writeEnabled = true; break;
            case 0x04:
            case 0x66:
            case 0x99:
            case 0xAB: writeEnabled = false; break;
            case 0x02:
                if(!Begin(opcode, ProgramTime)) { break; }
                for(var i = 0u; i < sent.Length; i++) { content[address % Capacity / Page * Page + (address + i) % Page] &= sent[i]; }
                break;
            case 0x20: Erase(opcode, address, 0x1000, 45000); break;
            case 0x52: Erase(opcode, address, 0x8000, 120000); break;
            case 0xD8: Erase(opcode, address, 0x10000, 150000); break;
            case 0xC7: Erase(opcode, address, Capacity, 10000000); break;
            case 0x35:
            case 0x15: break; // status registers 2 and 3: all clear
            default: this.Log(LogLevel.Warning, "Command 0x{0:X2} is not modelled", opcode); break;
            }
            return answer;
        }

        private void Erase(byte opcode, uint address, uint size, ulong microseconds)
        {
            if(!Begin(opcode, microseconds)) { return; }
            var first = address % Capacity / size * size;
            for(var i = first; i < first + size; i++) { content[i] = 0xFF; }
        }

        private bool Begin(byte opcode, ulong microseconds)
        {
            if(!writeEnabled)
            {
                this.Log(LogLevel.Warning, "Command 0x{0:X2} without write enable: it is ignored", opcode);
                return false;
            }
            writeEnabled = false;
            busyUntil = Now() + microseconds * 1000;
            return true;
        }

        private ulong Now()
        {
            ICPU cpu;
            if(machine.SystemBus.TryGetCurrentCPU(out cpu)) { cpu.SyncTime(); }
            return machine.ElapsedVirtualTime.TimeElapsed.TotalNanoseconds;
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

        private bool writeEnabled;
        private ulong busyUntil; // ns
        private readonly byte[] content = new byte[Capacity];
        private readonly byte[] identity = { 0xEF, 0x40, 0x16 };
        private readonly Dictionary<int, byte> commands = new Dictionary<int, byte>
        {
            { 22, 0xC7 }, { 23, 0xD8 }, { 24, 0x20 }, { 25, 0x02 }, { 27, 0x05 }, { 28, 0x9F }, { 29, 0x04 }, { 30, 0x06 }, { 31, 0x03 }
        };
        private readonly IMachine machine;
        private readonly Esp32c3Registers registers;

        private const uint Capacity = 0x400000, Page = 0x100;
        private const ulong ProgramTime = 400;
        private const long Command = 0x00, Address = 0x04, User = 0x18, User1 = 0x1C, User2 = 0x20, OutLength = 0x24, InLength = 0x28;
        private const long ReadStatus = 0x2C, Data = 0x58;
    }
}
